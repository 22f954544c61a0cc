"""Who owns what, where several systems might deliver the messages of one operation: each message has one owner, which alone delivers it.

The law: the first message of a key fixes its owner, and only a move changes it. All members of a post share one cursor, and whose a message
is, is decided in the transaction in which the cursor passes it; so none is given twice and none is passed over. Of a key's deliveries that
are not done at most one is ever under way, whichever member has it. What may have reached one platform never moves to another.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from hub.exchange.life import Event, State
from hub.exchange.records import Fence, Ownership, Stage, UnknownError
from hub.exchange.sqlite.messages import Messages
from hub.exchange.sqlite.tables import Place, Post, Recorder
from metip.tokens import Token

ENDED: Final = frozenset({State.PROCESSED, State.REFUSED, State.PURGED})
"""After these a platform has nothing more to do with a delivery."""
UNSENT: Final = frozenset({"UNREACHABLE", "STOPPING", "FENCED"})
"""Reasons that leave it certain that no far system heard of an attempt: they are given before anything of it is begun."""
TRIED: Final = frozenset({Event.LOST, Event.FAILED, Event.DOUBTED, Event.GAVE_UP, Event.ACKNOWLEDGED})
HELD: Final = f"('{Stage.DRAINING.value}', '{Stage.FENCING.value}')"


class Posts(Messages, ABC):
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
        if owned is not None and owned[0] == place.said.system and int(owned[1]) != number:
            number = int(owned[1])
            self._execute("update charge set number = ? where subscription = ? and sequence = ?", (number, place.id, sequence))
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
        self._charge_of_key(place, key, number)
        self._fence(place.said.system, post.name, digest, number)

    def _charge_of_key(self, place: Place, key: str, number: int) -> None:
        """What a member has of a key goes under that number from now on, whoever owns the key by then."""
        self._execute(
            "update charge set number = ?1 where subscription = ?2 and sequence in"
            " (select sequence from delivery where subscription = ?2 and ordering_key = ?3)",
            (number, place.id, key),
        )

    def _charge_all(self, places: Iterable[Place], number: int) -> None:
        for one in places:
            self._execute("update charge set number = ? where subscription = ?", (number, one.id))

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

    def _fence(self, system: str, post: str, digest: bytes, number: int) -> None:
        if not digest:  # what a single key is fenced by goes with it, unless it is higher
            self._execute("delete from fence where system = ? and post = ? and number <= ?", (system, post, number))
        self._execute(
            "insert into fence (system, post, digest, number) values (?, ?, ?, ?)"
            " on conflict (system, post, digest) do update set number = max(number, excluded.number)",
            (system, post, digest, number),
        )

    @abstractmethod
    def _choose_head(self, place: Place, key: str) -> None: ...
