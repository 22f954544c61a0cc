"""Moves of messages from one platform to another: drained, then fenced, then carried out, each step in a transaction.

The law: nothing that a platform may have had goes to another one. A fence is given out before anybody else is given what it is for, and
each number that is given out is above all earlier ones.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hub.exchange.life import State
from hub.exchange.records import Move, NotAllowedError, Scope, Stage, Step, UnknownError
from hub.exchange.sqlite.posts import HELD, Posts
from hub.exchange.sqlite.tables import Place, Post

STUCK: Final = {
    State.IN_DOUBT: "in doubt: settle or release",
    State.PARKED: "parked after an attempt: release or purge",
    State.EXPIRED: "expired after an attempt: release or purge",
    State.DELIVERED: "delivered, and the far system has not said yet what became of",
}
"""States in which a delivery that a platform has touched does not go on by itself, and what has to be done with it."""
SHOWN: Final = 3
BEGUN: Final = " and (c.touched = 1 or d.state in ('attempt', 'delivered', 'in_doubt'))"
"""Deliveries that a platform may have had."""


class Moves(Posts):
    """Moves. The body of each job raises before it changes anything."""

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
        if move.stage is Stage.FENCING:  # its owner may hold the fence, and goes on above it
            number = self._next_number(now)
            if move.scope is Scope.KEY and post.held:
                self._owner(post, post.held, now)  # of a key that nobody had seen, whoever gets new ones
                digest = self.digest(post.held)
                self._execute("update post_key set number = ? where post = ? and digest = ?", (number, post.name, digest))
                for one in post.members:
                    self._charge_of_key(one, post.held, number)
            else:
                self._all_numbers(post, number)
                self._charge_all(post.members, number)
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
        self._charge_all((one for one in post.members if one is not target), self._next_number(now))  # above any fence that they hold
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
        move = replace(move, number=self._next_number(now))  # above the fence, and above what a person's word made of it meanwhile
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
        self._execute(
            "update post_move set state = ?, key = '', moved = ?, number = ? where id = ?", (stage.value, moved, move.number, move.move_id)
        )
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

    def _open(self, post: Post, target: Place | None, scope: Scope, key: str, which: str = "") -> list[tuple[Place, int, State, bool, str]]:
        """Deliveries that are not done of whoever is not to own them: member, sequence, state, whether it may have had it, key.

        `which` is a further condition, as SQL."""
        found = []
        of_key, values = (" and d.ordering_key = ?", (key,)) if scope is Scope.KEY else ("", ())
        for one in post.members:
            if one is target:
                continue
            for sequence, state, touched, line in self.all(
                "select d.sequence, d.state, c.touched, d.ordering_key from charge c join delivery d using (subscription, sequence)"
                f" where c.subscription = ?{of_key}{which} order by d.sequence",
                (one.id, *values),
            ):
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
            for place, sequence, state, touched, _ in self._open(post, target, scope, key, BEGUN)
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
        if move.scope is Scope.CUT:
            return self._left(post, target)
        some = [(sequence, place) for place, sequence, *_ in self._open(post, target, move.scope, post.held or "", BEGUN)]
        if not some:
            return ""
        return f"{len(some)} under way at {_names(place for _, place in some)}, such as {self.names.of(some[0][0])}"

    def _left(self, post: Post, target: Place | None) -> str:
        """What those who handed over have not finished yet."""
        words = []
        for one in post.members:
            count, first = self.one("select count(*), min(sequence) from charge where subscription = ?", (one.id,)) or (0, None)
            if one is not target and count:
                words.append(f"{count} to be finished by {one.said.system}, such as {self.names.of(first)}")
        return "; ".join(words)


def _names(places: Iterable[Place]) -> str:
    return " and ".join(sorted({one.said.system for one in places}))
