"""Two platforms, a hub and the network between them, in one thread: real store, verdicts and marks, and everything that can go wrong.

`World` has an action for each thing that can happen; whoever drives it decides what happens next. What it watches: nobody but the owner
executes a message, nothing is executed twice or by both platforms, a key's messages are executed in the order of their acceptance, the
accounts add up, and in the end nothing that was accepted is missing. The far systems are believed, the network is not: it holds up, doubles
and misroutes what it is given. A person looks at the far system before saying what became of a doubt.

Long because everything that can happen is one world: each action changes what all others find.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc

from adapters.kit.marks import Bar, Handed, Marks
from hub.exchange.life import OPEN, WAITING_FOR_A_PERSON, Event, State
from hub.exchange.records import Accepted, Arrival, Attempt, Delivery, Filter, Move, NotAllowedError, Scope, Settlement, Stage
from hub.exchange.sqlite import looking
from hub.exchange.sqlite.store import Store
from hub.exchange.verdicts import Ended, verdict
from metip.contracts import Subscription
from metip.faults import Fault
from metip.tokens import token_of

OPERATION: Final = "metip.example.v1.ExampleMessageService/PublishExample"
PLATFORMS: Final = ("new", "old")
POST: Final = f"new:{OPERATION}"
KEYS: Final = ("a", "b", "c", "")
DONE, LOCKED, SILENT = "done", "locked", "silent"
NOW: Final = 1_800_000_000.0


class ViolationError(AssertionError):
    """Something happened that must never happen."""


@dataclass(slots=True, eq=False)
class Packet:
    """One attempt on its way to a platform."""

    attempt: Attempt
    to: str
    copied: bool = False
    """Whether it is a copy, of whose answer nobody hears."""


@dataclass(slots=True, eq=False)
class Running:
    """One attempt that passed the stage and is at its far system."""

    packet: Packet
    at: str


@dataclass(slots=True, eq=False)
class Reply:
    """What a platform answered, on its way to the hub."""

    attempt: Attempt
    ended: Ended


@dataclass
class Effect:
    """What a far system did."""

    platform: str
    message_id: str
    content: str
    key: str
    sequence: int


@dataclass
class Platform:
    """One adapter and its far system."""

    name: str
    path: Path
    marks: Marks
    held: int = 0
    running: list[Running] = field(default_factory=list)


class World:
    """Everything; deterministic, given what is done."""

    def __init__(self, folder: Path, *, write_once: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.write_once, self.now = folder, write_once, NOW
        self.platforms = {name: Platform(name, folder / f"{name}.sqlite", _marks(folder / f"{name}.sqlite")) for name in PLATFORMS}
        self.store = self._opened()
        self.network: list[Packet] = []
        self.replies: list[Reply] = []
        self.effects: list[Effect] = []
        self.accepted: dict[str, tuple[str, str]] = {}
        """Content and key by message id."""
        self.given_up: set[str] = set()
        """Contents that a person ended without an effect."""
        self.excused: set[str] = set()
        """Contents of which a person said that they were not done while something of them was still on its way."""
        self.moves: list[str] = []
        self.begun: list[Attempt] = []
        self.copies: set[tuple[str, int]] = set()
        """Attempts of which there was more than one: nobody can say that they reached nobody."""
        self.told: dict[str, list[tuple[str, int]]] = {name: [] for name in PLATFORMS}
        """Fences, by digest and number, that a platform said it holds."""
        self.happened = Counter[str]()
        self._numbers = 0

    # What the hub does.

    def accept(self, key: str) -> None:
        """A producer hands a message over."""
        self._numbers += 1
        content = f"content-{self._numbers}"
        arrival = Arrival(OPERATION, content.encode(), content, key)
        (found,) = self._do(lambda: self.store.accept_all([arrival], self.now))
        assert isinstance(found, Accepted)
        self.accepted[found.message_id] = (content, key)

    def turn(self, platform: str, limit: int = 2) -> None:
        """A subscription's line begins attempts."""
        turn = self._do(lambda: self.store.turn(f"{platform}:{OPERATION}", [], limit, self.now))
        self.begun += turn.attempts
        for attempt in turn.attempts:
            self.network.append(Packet(attempt, platform))

    def settle(self, reply: Reply) -> None:
        """The hub hears how an attempt ended."""
        attempt = reply.attempt
        found = verdict(reply.ended, write_once=self.write_once, attempt=attempt.tries, exhausted=False)
        settlement = Settlement(attempt.sequence, attempt.number, found.event, found.status, found.reason, self.now)
        self._do(lambda: self.store.turn(attempt.subscription, [settlement], 0, self.now))

    def reply(self, place: int) -> None:
        """An answer arrives."""
        if self.replies:
            self.settle(self.replies.pop(place % len(self.replies)))

    def lose_reply(self, place: int) -> None:
        """An answer is lost: the hub's patience ends."""
        if self.replies:
            lost = self.replies.pop(place % len(self.replies))
            self.settle(Reply(lost.attempt, Ended(grpc.StatusCode.DEADLINE_EXCEEDED)))

    def time_out(self, place: int) -> None:
        """The hub's patience ends while the attempt is still on its way."""
        if self.network:
            packet = self.network[place % len(self.network)]
            self.settle(Reply(packet.attempt, Ended(grpc.StatusCode.DEADLINE_EXCEEDED)))

    def unreachable(self, place: int) -> None:
        """An attempt reaches nobody, and Envoy says so."""
        if self.network:
            packet = self.network[place % len(self.network)]
            if not packet.copied and (packet.attempt.message_id, packet.attempt.number) not in self.copies:
                self.network.remove(packet)
                self.settle(Reply(packet.attempt, Ended(grpc.StatusCode.UNAVAILABLE, flags="UF")))

    def crash_hub(self) -> None:
        """The hub dies at whatever it was doing, and starts again."""
        self.store.close()
        self.replies.clear()
        self.store = self._opened()
        self.happened["hub crashes"] += 1

    # What the network and the platforms do.

    def duplicate(self, place: int) -> None:
        """The network has one more of something, which may arrive much later."""
        if self.network and len(self.network) < 20:
            packet = self.network[place % len(self.network)]
            self._copy(packet, packet.to)

    def shadow(self, place: int) -> None:
        """Something for one platform is sent to the other one too, as a mirror would, or a route that is wrong."""
        if self.network and len(self.network) < 20:
            packet = self.network[place % len(self.network)]
            self._copy(packet, next(name for name in PLATFORMS if name != packet.to))

    def _copy(self, packet: Packet, to: str) -> None:
        self.copies.add((packet.attempt.message_id, packet.attempt.number))
        self.network.append(Packet(packet.attempt, to, copied=True))

    def arrive(self, place: int) -> None:
        """An attempt arrives at its platform and comes to the stage before the handler."""
        if not self.network:
            return
        packet = self.network.pop(place % len(self.network))
        platform, attempt = self.platforms[packet.to], packet.attempt
        handed = Handed(platform.name, POST, attempt.message_id, attempt.number, token_of(attempt.token))
        try:
            with platform.marks.database:
                reply = platform.marks.begin(handed, self.now)
        except Fault as fault:
            self.happened[fault.reason.name] += 1
            self._answer(packet, Ended(fault.reason.status, fault.reason.name))
            return
        if reply is not None:
            self.happened["known as done"] += 1
            self._answer(packet, Ended(grpc.StatusCode.OK))
            return
        platform.running.append(Running(packet, platform.name))

    def finish(self, platform: str, outcome: str) -> None:
        """A far system does what it was asked, or says that the record is locked, or does it and does not answer."""
        one = self.platforms[platform]
        if not one.running:
            return
        running = one.running.pop(0)
        if outcome in (LOCKED, SILENT):
            with one.marks.database:
                one.marks.leave(running.packet.attempt.message_id)
        if outcome == LOCKED:
            self._answer(running.packet, Ended(grpc.StatusCode.ABORTED, "LOCKED"))
            return
        self._effect(platform, running.packet.attempt)
        if outcome == SILENT:
            reason = "IN_DOUBT" if self.write_once else "TIMED_OUT"
            self._answer(running.packet, Ended(grpc.StatusCode.FAILED_PRECONDITION, reason))
            return
        with one.marks.database:
            one.marks.end(running.packet.attempt.message_id, b"receipt")
        self._answer(running.packet, Ended(grpc.StatusCode.OK))

    def crash_platform(self, platform: str, *, acted: bool) -> None:
        """An adapter dies; what was at its far system was done, or was not."""
        one = self.platforms[platform]
        for running in one.running:
            if acted:
                self._effect(platform, running.packet.attempt)
        one.running.clear()
        one.marks.close()
        one.marks, one.held = _marks(one.path), 0
        self.happened["platform crashes"] += 1

    def renew(self, platform: str) -> None:
        """An instance renews its lease, is told its fences, and holds them."""
        one = self.platforms[platform]
        fences = self._do(lambda: self.store.fences(platform, one.held, 1000))
        with one.marks.database:
            one.marks.bar(Bar(fence.post, fence.digest, fence.number) for fence in fences)
        for fence in fences:
            if any(_keeps_out(fence.digest, fence.number, running.packet.attempt.token) for running in one.running):
                return
            one.held = max(one.held, fence.number)
            self.told[platform].append((fence.digest, fence.number))

    # What people do.

    def begin_move(self, scope: Scope, key: str, to: str) -> None:
        """Somebody moves messages."""
        if scope is Scope.KEY and not key:
            return
        self._numbers += 1
        try:
            move = self._do(
                lambda: self.store.begin_move(
                    POST, to, scope, key if scope is Scope.KEY else "", f"move-{self._numbers}", self.now, by="1234", reason="a test"
                )
            )
        except NotAllowedError:
            self.happened["moves refused"] += 1
            return
        self.happened[f"{scope.value} {move.stage.value}"] += 1
        if move.move_id not in self.moves:
            self.moves.append(move.move_id)

    def step_moves(self) -> None:
        """The hub goes on with its moves."""
        for move in self._do(lambda: self.store.moves()):
            self._step(move)

    def take_back(self) -> None:
        """Somebody takes a move back."""
        for move in self._do(lambda: self.store.moves()):
            if move.stage is not Stage.FINISHING:
                self._take_back(move)
                self.happened["moves taken back"] += 1

    def _take_back(self, move: Move) -> None:
        self._do(lambda: self.store.take_back(move.move_id, self.now, by="1234", reason="a test"))

    def person(self, place: int, *, release: bool, resubmit: bool) -> None:
        """Somebody looks after what waits for a person, having looked at the far system."""
        waiting = [one for one in self._deliveries() if one.state in WAITING_FOR_A_PERSON]
        if not waiting:
            return
        one = waiting[place % len(waiting)]
        content, _ = self.accepted[one.message_id]
        if not self._has_effect(content) and any(packet.attempt.message_id == one.message_id for packet in self._out()):
            self.excused.add(content)
        if one.state is not State.IN_DOUBT or (release and not self._has_effect(content)):
            self._decide(one, Event.RELEASE)
        elif self._has_effect(content):
            self._decide(one, Event.CONFIRMED)
        else:
            self._decide(one, Event.REFUSED)
            self.given_up.add(content)
            if resubmit:
                self._resubmit(one)

    def pass_time(self) -> None:
        """Time goes on."""
        self.now += 1

    # What is watched.

    def check(self) -> None:
        """The accounts add up. Raises `ViolationError`."""
        counts = Counter[State]()
        for account in looking.accounts(self.store):
            counts.update(account.counts)
        if sum(counts.values()) != len(self.accepted):
            raise ViolationError(f"{len(self.accepted)} were accepted and {sum(counts.values())} are on the books")
        listed = Counter(one.message_id for one in self._deliveries())
        doubled = [message_id for message_id, count in listed.items() if count > 1]
        if doubled or set(listed) != set(self.accepted):
            raise ViolationError(f"deliveries do not match what was accepted: {doubled or set(self.accepted) ^ set(listed)}")

    def come_to_rest(self) -> None:
        """Everything that is out arrives, people settle what waits, moves end; then nothing may be missing. Raises `ViolationError`."""
        for _ in range(80):
            self.pass_time()
            while self.network:
                self.arrive(0)
            for name in PLATFORMS:
                while self.platforms[name].running:
                    self.finish(name, DONE)
            while self.replies:
                self.reply(0)
            while self.begun:  # of which nothing was heard: the hub's patience ends
                self.settle(Reply(self.begun.pop(), Ended(grpc.StatusCode.DEADLINE_EXCEEDED)))
            for name in PLATFORMS:
                self.renew(name)
            self.step_moves()
            self.person(0, release=False, resubmit=True)
            for name in PLATFORMS:
                self.turn(name, 10)
            states = {one.state for one in self._deliveries()}
            moving = list(self._do(lambda: self.store.moves()))
            if not self.network and not moving and not states & (OPEN | WAITING_FOR_A_PERSON):
                break
        else:
            raise ViolationError(f"it does not come to rest: {[(one.state, one.subscription) for one in self._deliveries()]}")
        self.check()
        done = {one.content for one in self.effects}
        missing = {content for content, _ in self.accepted.values()} - done - self.given_up
        if missing:
            raise ViolationError(f"accepted, and never executed: {sorted(missing)}")

    def _effect(self, platform: str, attempt: Attempt) -> None:
        content, key = self.accepted[attempt.message_id]
        before = [one for one in self.effects if one.content == content]
        if not self.write_once and any(one.platform == platform for one in before):
            return  # the far system knows it by its key
        token = token_of(attempt.token)
        if any(digest in ("", token.digest) and token.number < number for digest, number in self.told[platform]):
            raise ViolationError(f"{platform} executed {content} of key {key!r} behind its fence")
        if content not in self.excused:
            if not self._may(platform, attempt, key):
                raise ViolationError(f"{platform} executed {content} of key {key!r}, which is not its own")
            if before:
                raise ViolationError(f"{content} was executed by {[one.platform for one in before]}, and now by {platform}")
            later = [one.content for one in self.effects if key and one.key == key and one.sequence > attempt.sequence]
            if later:
                raise ViolationError(f"{content} was executed after {later} of the same key")
        self.effects.append(Effect(platform, attempt.message_id, content, key, attempt.sequence))
        self.happened[f"executed by {platform}"] += 1

    def _may(self, platform: str, attempt: Attempt, key: str) -> bool:
        """Whether a message is a platform's to execute, by the hub's own books: it has it open, or is its key's owner."""
        place = self.store.places[f"{platform}:{OPERATION}"]
        values = (place.id, attempt.sequence)
        open_there = self.store.one("select 1 from charge where subscription = ? and sequence = ?", values) is not None
        return open_there or self.store.token(POST, key).owner == platform

    # The rest.

    def _step(self, move: Move) -> None:
        others = [one for one in self.platforms.values() if one.name != move.to]
        if move.stage is Stage.FENCING and all(one.held >= move.number for one in others):
            done = self._do(lambda: self.store.fenced(move.move_id, "", self.now))
            self.happened[f"{move.scope.value} {done.stage.value}"] += 1
        else:
            self._do(lambda: self.store.advance(move.move_id, self.now))

    def _answer(self, packet: Packet, ended: Ended) -> None:
        if not packet.copied:
            self.replies.append(Reply(packet.attempt, ended))

    def _has_effect(self, content: str) -> bool:
        return any(one.content == content for one in self.effects)

    def _out(self) -> list[Packet]:
        running = [one.packet for platform in self.platforms.values() for one in platform.running]
        return [*self.network, *running]

    def _deliveries(self) -> list[Delivery]:
        return looking.deliveries(self.store, Filter(), (0, ""), 10_000)

    def _decide(self, one: Delivery, event: Event) -> None:
        self._do(lambda: self.store.decide([(one.message_id, one.subscription)], event, self.now, by="1234", reason="it was looked at"))
        self.happened[f"a person: {event.value}"] += 1

    def _resubmit(self, one: Delivery) -> None:
        """The same content once more, as a message of its own."""
        place = self.store.place(one.subscription)
        sequence = self._do(lambda: self.store.again(one.sequence, place, self.now))
        self.accepted[self.store.names.of(sequence)] = self.accepted[one.message_id]
        self.given_up.discard(self.accepted[one.message_id][0])

    def _do(self, job: Callable[[], Any]) -> Any:
        (result,) = self.store.run([job])
        if isinstance(result, Exception):
            raise result
        return result

    def _opened(self) -> Store:
        store = Store(self.folder / "exchange.sqlite", synchronous="off")
        subscriptions = [
            Subscription("new", OPERATION, write_once=self.write_once),
            Subscription("old", OPERATION, write_once=self.write_once, instead_of="new"),
        ]
        (result,) = store.run([lambda: store.subscribe(subscriptions, self.now)])
        assert not isinstance(result, Exception)
        return store

    def close(self) -> None:
        """Lets go of the files."""
        self.store.close()
        for one in self.platforms.values():
            one.marks.close()


def _keeps_out(digest: str, number: int, text: str) -> bool:
    token = token_of(text)
    return digest in ("", token.digest) and token.number < number


def _marks(path: Path) -> Marks:
    return Marks(path, synchronous="off")


Action = Callable[[World, random.Random], None]
ACTIONS: Final[tuple[tuple[int, Action], ...]] = (
    (6, lambda world, chance: world.accept(chance.choice(KEYS))),
    (8, lambda world, chance: world.turn(chance.choice(PLATFORMS))),
    (8, lambda world, chance: world.arrive(chance.randrange(100))),
    (6, lambda world, chance: world.finish(chance.choice(PLATFORMS), chance.choice((DONE, DONE, DONE, LOCKED, SILENT)))),
    (8, lambda world, chance: world.reply(chance.randrange(100))),
    (1, lambda world, chance: world.lose_reply(chance.randrange(100))),
    (2, lambda world, chance: world.time_out(chance.randrange(100))),
    (1, lambda world, chance: world.unreachable(chance.randrange(100))),
    (2, lambda world, chance: world.duplicate(chance.randrange(100))),
    (1, lambda world, chance: world.shadow(chance.randrange(100))),
    (1, lambda world, chance: world.crash_hub()),
    (1, lambda world, chance: world.crash_platform(chance.choice(PLATFORMS), acted=chance.random() < 0.5)),
    (4, lambda world, chance: world.renew(chance.choice(PLATFORMS))),
    (2, lambda world, chance: world.begin_move(chance.choice(tuple(Scope)), chance.choice(KEYS), chance.choice(PLATFORMS))),
    (5, lambda world, chance: world.step_moves()),
    (1, lambda world, chance: world.take_back() if chance.random() < 0.3 else None),
    (4, lambda world, chance: world.person(chance.randrange(100), release=chance.random() < 0.3, resubmit=chance.random() < 0.5)),
    (3, lambda world, chance: world.pass_time()),
)
"""What can happen, and how often it does beside the others."""


def play(folder: Path, seed: int, steps: int) -> World:
    """One random history; the same for the same seed. Raises `ViolationError`."""
    chance = random.Random(seed)
    world = World(folder / str(seed), write_once=chance.random() < 0.6)
    weights, actions = zip(*ACTIONS, strict=True)
    try:
        for action in chance.choices(actions, weights, k=steps):
            action(world, chance)
        world.check()
        world.come_to_rest()
    finally:
        world.close()
    return world
