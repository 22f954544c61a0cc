"""Who owns what, where several systems might deliver the messages of one operation: each message has one owner, which alone delivers it.

The law: the first message of a key fixes its owner, and only a move changes it. All members of a post share one cursor, and whose a message
is, is decided in the transaction in which the cursor passes it; so none is given twice and none is passed over. Of a key's deliveries that
are not done at most one is ever under way, whichever member has it. What may have reached one platform never moves to another.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from hub.exchange.life import Event, State
from hub.exchange.records import Fence, Move, NotAllowedError, Ownership, Scope, Stage, Step, UnknownError
from hub.exchange.sqlite.messages import Messages
from hub.exchange.sqlite.tables import Place, Post, Recorder
from metip.tokens import Token

ENDED: Final = frozenset({State.PROCESSED, State.REFUSED, State.PURGED})
"""After these a platform has nothing more to do with a delivery."""
UNSENT: Final = frozenset({"UNREACHABLE", "STOPPING", "FENCED"})
"""Reasons that leave it certain that no far system heard of an attempt: they are given before anything of it is begun."""
TRIED: Final = frozenset({Event.LOST, Event.FAILED, Event.DOUBTED, Event.GAVE_UP, Event.ACKNOWLEDGED})
HELD: Final = f"('{Stage.DRAINING.value}', '{Stage.FENCING.value}')"
STUCK: Final = {
    State.IN_DOUBT: "in doubt: settle or release",
    State.PARKED: "parked after an attempt: release or purge",
    State.EXPIRED: "expired after an attempt: release or purge",
    State.DELIVERED: "delivered, and the far system has not said yet what became of",
}
"""States in which a delivery that a platform has touched does not go on by itself, and what has to be done with it."""
SHOWN: Final = 3


class Posts(Messages):
    """Owners of messages, and their moves. The body of each job raises before it changes anything."""

    def __init__(self, path: Path, record: Recorder | None = None, *, synchronous: str = "full", vfs: str | None = None) -> None:
        self.posts: dict[str, Post] = {}
        super().__init__(path, record, synchronous=synchronous, vfs=vfs)

    # Forming.

    def _form_posts(self, known: dict[str, tuple[Any, ...]]) -> None:
        super()._form_posts(known)
        members: dict[str, list[Place]] = {}
        for place in self.places.values():
            members.setdefault(place.said.post, []).append(place)
        self.posts = {}
        for name, of_contract in members.items():
            some = [*of_contract, *self._absent(name, of_contract, known)]
            if len(some) > 1:
                self._form(name, tuple(some))
        self._read_posts()

    def _absent(self, post: str, of_contract: list[Place], known: dict[str, tuple[Any, ...]]) -> list[Place]:
        """Systems that left the contract and still own something: it waits until somebody moves it."""
        operation = of_contract[0].said.operation
        rows = self.all("select owner from post where name = ?1 union select distinct owner from post_key where post = ?1", (post,))
        rows += self.all(
            "select distinct s.system from charge c join subscription s on s.id = c.subscription where s.operation = ?",
            (of_contract[0].operation,),
        )
        present = {one.said.system for one in self.places.values() if one.said.operation == operation}
        found = []
        for system in sorted({str(row[0]) for row in rows} - present):
            name = f"{system}:{operation}"
            if name in known:
                said = replace(of_contract[0].said, system=system)
                place = Place(known[name][1], said, known[name][2], known[name][3], bool(known[name][4]), absent=True)
                self.places[name] = place
                self._execute("update subscription set closed = 0 where id = ?", (place.id,))
                found.append(place)
        return found

    def _form(self, name: str, members: tuple[Place, ...]) -> None:
        """Makes a post of its members: they go on from where the furthest of them was, and a new one from there too."""
        principal = next((one for one in members if one.said.name == name), members[0])
        post = Post(name, members, principal, 0)
        self.posts[name] = post
        for one in members:
            one.post = post
        before = {one.id for one in members if self.one("select 1 from delivery where subscription = ? limit 1", (one.id,))}
        if self.one("select 1 from post where name = ?", (name,)) is None:
            self._execute("insert into post (name, owner, number) values (?, ?, 0)", (name, principal.said.system))
            self._take_over(post)
            older = [one for one in members if one.id in before]
            self._go_on_from(post, max((one.cursor for one in older), default=principal.cursor))
        else:
            self._go_on_from(post, max(one.cursor for one in members if one.id in before or one is principal))

    def _go_on_from(self, post: Post, cursor: int) -> None:
        for one in post.members:
            one.cursor = cursor
            self._execute("update subscription set cursor = ? where id = ?", (cursor, one.id))

    def _take_over(self, post: Post) -> None:
        """What members began before they shared anything is theirs: their open deliveries, and the keys that they had."""
        for one in post.members:
            self._execute(
                "insert or ignore into charge (subscription, sequence, number, touched) select subscription, sequence, 0,"
                " lost = 1 or state not in ('pending', 'parked', 'expired') from delivery where subscription = ?"
                " and state not in ('processed', 'purged', 'refused')",
                (one.id,),
            )
            keys = self.all("select distinct ordering_key from delivery where subscription = ? and ordering_key != ''", (one.id,))
            for (key,) in keys:
                self._execute(
                    "insert or ignore into post_key (post, digest, owner, number, ejected) values (?, ?, ?, 0, 0)",
                    (post.name, self.digest(key), one.said.system),
                )

    def _read_posts(self) -> None:
        super()._read_posts()
        for post in self.posts.values():
            row = self.one("select owner, number from post where name = ?", (post.name,))
            assert row is not None, "it was formed"
            post.owner = self._member(post, row[0]) or post.owner
            post.number = int(row[1])
            held = self.one(f"select key from post_move where post = ? and state in {HELD}", (post.name,))
            post.held = str(held[0]) if held else None
        self._by_operations()

    # Owners.

    def digest(self, key: str) -> bytes:
        """What stands for an ordering key wherever it is kept for longer than its messages, and wherever it travels."""
        return blake2b(key.encode(), digest_size=16, key=self.names.of(0).encode()).digest()

    def _given_to(self, place: Place, key: str, sequence: int, now: float) -> Place:
        """Whose a message is that the cursor passes now, or that a person is quicker with; the first of its key fixes it."""
        post = place.post
        if post is None:
            return place
        owner, number = self._owner(post, key, now)
        self._execute("insert into charge (subscription, sequence, number) values (?, ?, ?)", (owner.id, sequence, number))
        if owner is not place:
            self._stirred.add(owner.said.name)
        return owner

    def _owner(self, post: Post, key: str, now: float) -> tuple[Place, int]:
        if not post.number:
            post.number = self._next_number(now)
            self._execute("update post set number = ? where name = ?", (post.number, post.name))
            self._execute("update post_key set number = ? where post = ? and number = 0", (post.number, post.name))
        if not key:
            return post.owner, post.number
        digest = self.digest(key)
        row = self.one("select owner, number from post_key where post = ? and digest = ?", (post.name, digest))
        if row is None:
            self._own(post, digest, post.owner.said.system, post.number, ejected=False)
            return post.owner, post.number
        owner = self._member(post, row[0])
        assert owner is not None, "owners stay members as long as they own something"
        return owner, int(row[1])

    def _own(self, post: Post, digest: bytes, owner: str, number: int, *, ejected: bool) -> None:
        self._execute(
            "insert or replace into post_key (post, digest, owner, number, ejected) values (?, ?, ?, ?, ?)",
            (post.name, digest, owner, number, ejected),
        )

    def _next_number(self, now: float) -> int:
        """A token above every other: at least the time, so that a file that is new, or older than what it gave out, is above that too."""
        (last,) = self.one("select value from meta where name = 'token'", ()) or (0,)
        number = max(int(last) + 1, int(now))
        self._execute("insert or replace into meta values ('token', ?)", (number,))
        return number

    def _token(self, place: Place, sequence: int) -> str:
        """The token of a delivery, as it travels; empty where nobody else could deliver it."""
        post = place.post
        if post is None:
            return ""
        row = self.one(
            "select d.ordering_key, c.number from delivery d join charge c using (subscription, sequence)"
            " where d.subscription = ? and d.sequence = ?",
            (place.id, sequence),
        )
        assert row is not None, "every open delivery of a post is charged to a member"
        key, number = str(row[0]), int(row[1])
        if not key:
            return Token(place.said.system, post.number if post.owner is place else number).text
        digest = self.digest(key)
        owned = self.one("select owner, number from post_key where post = ? and digest = ?", (post.name, digest))
        if owned is not None and owned[0] == place.said.system:
            number = int(owned[1])
        return Token(place.said.system, number, digest.hex()).text

    def _touch(self, place: Place, sequence: int, event: Event, state: State, reason: str) -> None:
        """Keeps what became of a delivery of a post: whether its platform may have had it, and whether it is done with it."""
        if place.post is None:
            return
        if state in ENDED:
            self._execute("delete from charge where subscription = ? and sequence = ?", (place.id, sequence))
        elif event in TRIED and reason not in UNSENT:
            self._execute("update charge set touched = 1 where subscription = ? and sequence = ?", (place.id, sequence))

    def _decided(self, place: Place, key: str, now: float) -> None:
        """A person decided on a doubt: whatever of it is still on its way must not be executed any more, so the key's token grows."""
        post = place.post
        if post is None or not key:
            return
        number, digest = self._next_number(now), self.digest(key)
        self._execute(
            "update post_key set number = ? where post = ? and digest = ? and owner = ?", (number, post.name, digest, place.said.system)
        )
        self._execute(
            "update charge set number = ?1 where subscription = ?2 and sequence in"
            " (select sequence from delivery where subscription = ?2 and ordering_key = ?3)",
            (number, place.id, key),
        )
        self._fence(place.said.system, post.name, digest, number)

    def free(self, place: Place) -> tuple[str, tuple[str, ...]]:
        """Which deliveries may be begun, as SQL on `d`: while messages are moved, only what their platform may have had already."""
        held = place.post.held if place.post is not None else None
        if held is None:
            return "", ()
        touched = "exists (select 1 from charge c where c.subscription = d.subscription and c.sequence = d.sequence and c.touched = 1)"
        return (f" and {touched}", ()) if held == "" else (f" and (d.ordering_key != ? or {touched})", (held,))

    def _is_free(self, place: Place, key: str) -> bool:
        """Whether a message that no platform has had may be begun."""
        return place.post is None or place.post.held is None or place.post.held not in ("", key)

    def _member(self, post: Post, system: str) -> Place | None:
        return next((one for one in post.members if one.said.system == system), None)

    # Moves.

    def begin_move(self, post_name: str, to: str, scope: Scope, key: str, move_id: str, now: float, *, by: str, reason: str) -> Move:
        """Begins a move, or carries it out where nothing has to end first. Asked again, it says how far the first one is.

        Raises `UnknownError`, and `NotAllowedError` while another move is under way, or something waits that may have had its effect.
        """
        post = self.post(post_name)
        target = self._member(post, to)
        if target is None or target.absent:
            raise UnknownError(f"{to} does not deliver {post.name.partition(':')[2]}; its platforms are {self._systems(post)}")
        under_way = self._move_of(post)
        if under_way is not None:
            if (under_way.scope, under_way.to, post.held or "") == (scope, to, key):
                return under_way
            raise NotAllowedError(f"{post.name} is being moved to {under_way.to} ({under_way.stage.value}); one move at a time")
        move = Move(move_id, post.name, scope, to, Stage.DRAINING, 0, now)
        if self._is_moved(post, target, scope, key):
            return replace(move, stage=Stage.MOVED, number=self._owner(post, key, now)[1])
        if scope in (Scope.KEY, Scope.ALL):
            stuck = self._stuck(post, target, scope, key)
            if stuck:
                raise NotAllowedError(stuck)
        self.act(now, by, f"owner_{scope.value}", f"{post.name} {to}", reason)
        if scope is Scope.NEW:
            return self._route(post, target, move, now)
        if scope is Scope.CUT:
            return self._cut(post, target, move, now)
        self._keep_move(move, key)
        post.held = key if scope is Scope.KEY else ""
        return self.advance(move_id, now)

    def advance(self, move_id: str, now: float) -> Move:
        """Takes a move as far as it goes by itself. Raises `UnknownError`."""
        move = self.move_named(move_id)
        post = self.posts.get(move.post)
        if post is None:
            return move
        if move.stage is Stage.DRAINING and not self._under_way(post, move):
            number = self._next_number(now)
            digest = self.digest(post.held) if move.scope is Scope.KEY and post.held else b""
            for one in post.members:
                if one.said.system != move.to:
                    self._fence(one.said.system, post.name, digest, number)
            self._execute("update post_move set state = ?, number = ? where id = ?", (Stage.FENCING.value, number, move_id))
        elif move.stage is Stage.FINISHING and not self._under_way(post, move):
            for one in post.members:
                if one.said.system != move.to:
                    self._fence(one.said.system, post.name, b"", move.number)
            self._execute("update post_move set state = ? where id = ?", (Stage.MOVED.value, move_id))
        return self.move_named(move_id)

    def fenced(self, move_id: str, hub: str, now: float) -> Move:
        """A hub found that all its instances of the others are fenced; when all hubs have, the move is carried out."""
        move = self.move_named(move_id)
        post = self.posts.get(move.post)
        if move.stage is not Stage.FENCING or post is None:
            return move
        self._execute("insert or ignore into fenced (id, hub) values (?, ?)", (move_id, hub))
        told = {str(row[0]) for row in self.all("select hub from fenced where id = ?", (move_id,))}
        if self.hubs() <= told:
            self._carry_out(post, move, now)
        return self.move_named(move_id)

    def take_back(self, move_id: str, now: float, *, by: str, reason: str) -> Move:
        """Ends a move that was not carried out: everything stays whose it was. Asked again, it changes nothing. Raises `UnknownError`."""
        move = self.move_named(move_id)
        post = self.posts.get(move.post)
        if move.stage not in (Stage.DRAINING, Stage.FENCING) or post is None:
            return move
        self.act(now, by, "owner_back", f"{post.name} {move.to}", reason)
        if move.stage is Stage.FENCING:  # its owner was fenced below the number, and goes on with it
            if move.scope is Scope.KEY and post.held:
                digest = self.digest(post.held)
                self._execute("update post_key set number = ? where post = ? and digest = ?", (move.number, post.name, digest))
            else:
                self._all_numbers(post, move.number)
        self._end(post, move, Stage.TAKEN_BACK, 0)
        return self.move_named(move_id)

    def hubs(self) -> set[str]:
        """Who has to say that its instances are fenced."""
        return {""}

    def moves(self) -> list[Move]:
        """Moves that are not ended, the oldest first."""
        rows = self.all("select id from post_move where state not in (?, ?) order by began", (Stage.MOVED.value, Stage.TAKEN_BACK.value))
        return [self.move_named(row[0]) for row in rows]

    def move_named(self, move_id: str) -> Move:
        """A move, and what it waits for. Raises `UnknownError`."""
        row = self.one("select id, post, scope, owner, state, number, began, moved from post_move where id = ?", (move_id,))
        if row is None:
            raise UnknownError("there is no such move")
        move = Move(row[0], row[1], Scope(row[2]), row[3], Stage(row[4]), row[5], row[6], row[7])
        post = self.posts.get(move.post)
        if post is None or move.stage in (Stage.MOVED, Stage.TAKEN_BACK, Stage.FENCING):
            return move
        target = self._member(post, move.to)
        words = self._stuck(post, target, move.scope, post.held or "") or self._under_way(post, move)
        return replace(move, waits_for=words)

    def fences(self, system: str, after: int, limit: int) -> list[Fence]:
        """What a system must not take any more, by number, after one number; those of one number always together."""
        rows = self.all(
            "select number, post, digest from fence where system = ?1 and number > ?2 and number <= coalesce((select number from fence"
            " where system = ?1 and number > ?2 order by number limit 1 offset ?3), 1 << 62) order by number, post",
            (system, after, limit),
        )
        return [Fence(row[0], row[1], bytes(row[2]).hex()) for row in rows]

    def owners(self) -> list[Ownership]:
        """Every post, by name."""
        return [self._ownership(post) for _, post in sorted(self.posts.items())]

    def token(self, post_name: str, key: str) -> Token:
        """Whose the next message of a key is. Raises `UnknownError`."""
        post = self.post(post_name)
        digest = self.digest(key) if key else b""
        row = self.one("select owner, number from post_key where post = ? and digest = ?", (post.name, digest)) if key else None
        owner, number = (row[0], row[1]) if row else (post.owner.said.system, post.number)
        return Token(str(owner), int(number), digest.hex())

    def post(self, name: str) -> Post:
        """A post by name. Raises `UnknownError`."""
        try:
            return self.posts[name]
        except KeyError:
            raise UnknownError(f"{name} has one platform only, so there is nothing to move") from None

    def _is_moved(self, post: Post, target: Place, scope: Scope, key: str) -> bool:
        if scope is Scope.KEY:
            row = self.one("select owner, ejected from post_key where post = ? and digest = ?", (post.name, self.digest(key)))
            return row is not None and row[0] == target.said.system and bool(row[1])
        if post.owner is not target:
            return False
        if scope is Scope.NEW:
            return True
        elsewhere = self.one(
            "select 1 from post_key where post = ? and owner != ? and ejected = 0 limit 1", (post.name, target.said.system)
        )
        return elsewhere is None

    def _route(self, post: Post, target: Place, move: Move, now: float) -> Move:
        number = self._next_number(now)
        self._set_owner(post, target, number)
        self._stirred.update(one.said.name for one in post.members)
        return replace(move, stage=Stage.MOVED, number=number)

    def _cut(self, post: Post, target: Place, move: Move, now: float) -> Move:
        """Hands over what lies beyond the cursor. Who is handed back to before it finished goes on, and is not fenced."""
        number = self._next_number(now)
        self._execute("update post_move set state = ? where post = ? and state = ?", (Stage.MOVED.value, post.name, Stage.FINISHING.value))
        self._set_owner(post, target, number)
        self._execute(
            "update post_key set number = ?1, owner = iif(ejected, owner, ?2) where post = ?3", (number, target.said.system, post.name)
        )
        self._keep_move(replace(move, stage=Stage.FINISHING, number=number), "")
        self._stirred.update(one.said.name for one in post.members)
        return self.advance(move.move_id, now)

    def _carry_out(self, post: Post, move: Move, now: float) -> None:
        """Everything that no platform has had goes to the new owner, with its order."""
        target = self._member(post, move.to)
        assert target is not None, "it was there when the move began"
        key, moved = post.held or "", 0
        if move.scope is Scope.KEY:
            self._own(post, self.digest(key), move.to, move.number, ejected=True)
        else:
            self._set_owner(post, target, move.number)
            self._execute(
                "update post_key set number = ?1, owner = iif(ejected, owner, ?2) where post = ?3", (move.number, move.to, post.name)
            )
        for source, sequence, _, touched, line in self._open(post, target, move.scope, key):
            if not touched:
                self._transfer(source, target, sequence, line, move, now)
                moved += 1
        self._end(post, move, Stage.MOVED, moved)

    def _transfer(self, source: Place, target: Place, sequence: int, key: str, move: Move, now: float) -> None:
        row = self.one("select state, status from delivery where subscription = ? and sequence = ?", (source.id, sequence))
        assert row is not None, "it was found in the same transaction"
        state = State(row[0])
        values = (target.id, source.id, sequence)
        self._execute("update delivery set subscription = ?, head = (ordering_key = '') where subscription = ? and sequence = ?", values)
        self._execute("update charge set subscription = ? where subscription = ? and sequence = ?", values)
        self._execute("update charge set number = ? where subscription = ? and sequence = ?", (move.number, target.id, sequence))
        self._move_tally(self.tally, (source.id, state), -1)
        self._move_tally(self.tally, (target.id, state), 1)
        self._keep(target, Step(sequence, target.said.name, now, 0.0, state, 0, row[1], "MOVED", source.said.name))
        if key:
            self._choose_head(target, key)

    def _end(self, post: Post, move: Move, stage: Stage, moved: int) -> None:
        self._execute("update post_move set state = ?, key = '', moved = ? where id = ?", (stage.value, moved, move.move_id))
        self._execute("delete from fenced where id = ?", (move.move_id,))
        post.held = None
        self._stirred.update(one.said.name for one in post.members)

    def _set_owner(self, post: Post, target: Place, number: int) -> None:
        """Makes a member the one that new keys go to; what lies beyond the cursor is counted as its from now on."""
        before = post.owner
        self._execute("update post set owner = ?, number = ? where name = ?", (target.said.system, number, post.name))
        post.owner, post.number = target, number
        if before is not target:
            for counter in (self.beyond, self.early):
                count = counter[before.id]
                self._move_tally(counter, before.id, -count)
                self._move_tally(counter, target.id, count)
            self._by_operations()

    def _all_numbers(self, post: Post, number: int) -> None:
        self._execute("update post set number = ? where name = ?", (number, post.name))
        self._execute("update post_key set number = ? where post = ?", (number, post.name))
        post.number = number

    def _keep_move(self, move: Move, key: str) -> None:
        self._execute(
            "insert into post_move (id, post, scope, key, owner, state, number, began) values (?, ?, ?, ?, ?, ?, ?, ?)",
            (move.move_id, move.post, move.scope.value, key, move.to, move.stage.value, move.number, move.began),
        )

    def _move_of(self, post: Post) -> Move | None:
        row = self.one(f"select id from post_move where post = ? and state in {HELD}", (post.name,))
        return self.move_named(row[0]) if row else None

    def _fence(self, system: str, post: str, digest: bytes, number: int) -> None:
        if not digest:
            self._execute("delete from fence where system = ? and post = ?", (system, post))
        self._execute("insert or replace into fence (system, post, digest, number) values (?, ?, ?, ?)", (system, post, digest, number))

    def _open(self, post: Post, target: Place | None, scope: Scope, key: str) -> list[tuple[Place, int, State, bool, str]]:
        """Deliveries that are not done of whoever is not to own them: member, sequence, state, whether it may have had it, key."""
        found = []
        for one in post.members:
            if one is target:
                continue
            for sequence, state, touched, line in self.all(
                "select d.sequence, d.state, c.touched, d.ordering_key from charge c join delivery d using (subscription, sequence)"
                " where c.subscription = ? order by d.sequence",
                (one.id,),
            ):
                if scope is Scope.KEY and line != key:
                    continue
                if scope is Scope.ALL and line and self._is_ejected(post, line):
                    continue
                found.append((one, sequence, State(state), bool(touched), line))
        return found

    def _is_ejected(self, post: Post, key: str) -> bool:
        values = (post.name, self.digest(key))
        return self.one("select 1 from post_key where post = ? and digest = ? and ejected = 1", values) is not None

    def _stuck(self, post: Post, target: Place | None, scope: Scope, key: str) -> str:
        """What has to be done before a move, by people or by a far system; empty when nothing has."""
        found = [
            (state, sequence, place)
            for place, sequence, state, touched, _ in self._open(post, target, scope, key)
            if state in STUCK and (touched or state in (State.IN_DOUBT, State.DELIVERED))
        ]
        words = []
        for state, said in STUCK.items():
            some = [(sequence, place) for other, sequence, place in found if other is state]
            if some:
                ids = ", ".join(self.names.of(sequence) for sequence, _ in some[:SHOWN])
                more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
                words.append(f"{len(some)} at {_names(place for _, place in some)} {said} {ids}{more}")
        return "; ".join(words)

    def _under_way(self, post: Post, move: Move) -> str:
        """What still moves by itself, or not, before the owner can be fenced; empty when nothing is left."""
        target = self._member(post, move.to)
        some = [
            (sequence, place)
            for place, sequence, state, touched, _ in self._open(post, target, move.scope, post.held or "")
            if move.scope is Scope.CUT or touched or state in (State.ATTEMPT, State.IN_DOUBT, State.DELIVERED)
        ]
        if not some:
            return ""
        return f"{len(some)} under way at {_names(place for _, place in some)}, such as {self.names.of(some[0][0])}"

    def _ownership(self, post: Post) -> Ownership:
        rows = self.all("select owner, count(*), sum(ejected) from post_key where post = ? group by 1", (post.name,))
        unfinished = {}
        for one in post.members:
            (count,) = self.one("select count(*) from charge where subscription = ?", (one.id,)) or (0,)
            unfinished[one.said.system] = int(count)
        return Ownership(
            post.name,
            post.owner.said.operation,
            post.owner.said.system,
            post.number,
            tuple(sorted(one.said.system for one in post.members)),
            {row[0]: row[1] for row in rows},
            {row[0]: int(row[2]) for row in rows if row[2]},
            unfinished,
        )

    def _systems(self, post: Post) -> str:
        return ", ".join(sorted(one.said.system for one in post.members))

    def _choose_head(self, place: Place, key: str) -> None:
        raise NotImplementedError


def _names(places: Iterable[Place]) -> str:
    return " and ".join(sorted({one.said.system for one in places}))
