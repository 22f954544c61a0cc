"""The comparator: takes pairs of answers, counts what differs, and says at any time what that amounts to.

The law: whatever it is given, it raises nothing and holds up nobody. What goes wrong is counted and told.
"""

import asyncio
import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hub.contracts import Contracts
from hub.parity import verdicts
from hub.parity.acceptances import Acceptance
from hub.parity.answers import Answers
from hub.parity.differences import Difference
from hub.parity.evidence import Evidence, FieldVerdict
from hub.parity.pairs import RECORDED, REPLICA, Pair
from hub.parity.shapes import shapes
from hub.parity.store import EXAMPLES, Batch, Example, ParityStore, ParityStoreError
from hub.parity.tallying import AGAIN, COMPARED, NOISE, SIGNAL, Book, Signal, Tallies, Tally, keys_of_answer
from hub.parity.values import AHEAD, BEHIND
from hub.parity.verdicts import Judged

FLUSHED: Final = 2.0
"""Seconds between two writings: so much is lost when the process is killed."""
COMPACTED: Final = 600.0
MOST_PAIRS: Final = 200
MOST_BYTES: Final = 16 * 1024 * 1024
"""Pairs of replicas that are kept in memory, never on disk, so that a case can be made of them."""
CLOCKS: Final = (AHEAD, BEHIND)
"""Of an answer that was recorded a while ago, these say nothing."""
EXAMPLE_AGAIN: Final = 1.0
"""Seconds between two examples of one look."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One field closer by."""

    verdict: FieldVerdict
    examples: tuple[tuple[Signal, Example], ...]
    days: dict[int, tuple[int, int]]
    """Pairs that differed and pairs compared, by the first second of a day (UTC)."""
    acceptances: tuple[Acceptance, ...]


class Comparator:
    """One comparator. `take` may be called from any thread."""

    def __init__(self, contracts: Contracts, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        """Opens the figures at `path`, or keeps them in memory only. Raises `ParityStoreError`."""
        self._clock, self._store = clock, ParityStore(path)
        self._answers = Answers(contracts)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._books = {book.operation: book for book in self._store.books()}
        self._tallies = Tallies(clock())
        self._examples: dict[tuple[int, int, int], Example] = {}
        self._counted, self._shown_at = self._store.counted_examples(), dict[tuple[int, int], float]()
        self._pairs: OrderedDict[tuple[str, str], Pair] = OrderedDict()
        self._accepted: tuple[Acceptance, ...] = tuple(self._store.acceptances())
        self.failed: Counter[str] = Counter()
        """Pairs that could not be compared, and writings that failed, by the name of the error."""

    def take(self, pair: Pair) -> None:
        """Compares one pair and counts it."""
        try:
            self._take(pair)
        except Exception as error:  # noqa: BLE001 - by the law above
            self.failed[type(error).__name__] += 1

    def _take(self, pair: Pair) -> None:
        if not math.isfinite(pair.at):
            raise ValueError("an instant is a number")
        operation = self._answers.operation(pair.operation)
        found = self._answers.differences(operation, pair.primary, pair.shadow)
        if pair.origin == RECORDED:
            found = [one for one in found if one.hint not in CLOCKS]
        again = self._answers.differences(operation, pair.primary, pair.again) if pair.again is not None else None
        with self._lock:
            book = self._books.get(pair.operation)
            if book is None:
                book = self._books[pair.operation] = Book(pair.operation, len(self._books) + 1)
            keys = [(COMPARED, 0), *keys_of_answer(pair.primary, "primary"), *keys_of_answer(pair.shadow, "shadow")]
            if found:
                seen = book.read(found, pair.at)
                keys += [*book.keys(seen, SIGNAL), book.pattern(seen)]
            if again is not None:
                keys.append((AGAIN, 0))
                if again:
                    keys += book.keys(book.read(again, pair.at, noise=True), NOISE)
            self._tallies.count(book.number, pair.at, keys)
            if found:
                self._keep(book, pair, found)

    def evidence(self, interface: str, since: float = 0.0) -> Evidence:
        """What comparisons since an instant say of an interface, `metip.example.v1.ExampleService`, or a package, `metip.example.v1`."""
        found = self.judged(interface, since)
        return verdicts.evidence(interface, since, [one for one, _ in found], [tally for _, tally in found])

    def judged(self, interface: str, since: float = 0.0) -> list[tuple[Judged, Tally]]:
        """Each operation of an interface or package that was compared, judged, with its figures."""
        window = self._window(since)
        found = []
        with self._lock:
            accepted = self.in_force()
            for name, book in sorted(self._books.items()):
                if name.startswith((f"{interface}/", f"{interface}.")) or name == interface:
                    tally = window.get(book.number)
                    if tally:
                        found.append((verdicts.judge(book, tally, accepted), Counter(tally)))
        return found

    def show(self, operation: str, field: str, since: float = 0.0) -> Shown:
        """One field closer by. Raises `KeyError` where nothing was seen of it since."""
        judged, _ = next((one for one in self.judged(operation, since)), (None, None))
        verdict = next((one for one in judged.fields if one.field == field), None) if judged is not None else None
        if verdict is None:
            raise KeyError(field)
        self.flush()
        with self._lock:
            book = self._books[operation]
            own = {seen.number: signal for signal, seen in book.signals.items() if signal.path == field}
            whole = book.signals[Signal(field)].number
        examples = tuple((own[number], one) for number, one in self._store.examples(book.number, list(own)))
        differed = self._store.days(book.number, SIGNAL, [whole], since)
        compared = self._store.days(book.number, COMPARED, [0], since)
        days = {start: (differed.get(start, 0), count) for start, count in compared.items()}
        known = tuple(one for one in self._accepted if (one.operation, one.field) == (operation, field))
        return Shown(verdict, examples, days, known)

    @property
    def acceptances(self) -> tuple[Acceptance, ...]:
        """All acceptances there ever were."""
        return self._accepted

    def in_force(self) -> tuple[Acceptance, ...]:
        """Those that hold now."""
        now = self._clock()
        return tuple(one for one in self._accepted if one.holds(now))

    def looks(self, operation: str, field: str) -> frozenset[tuple[str, str]]:
        """Kinds and hints of differences ever seen in a field. Empty where there are none."""
        with self._lock:
            book = self._books.get(operation)
            held = book.signals.items() if book is not None else ()
            return frozenset((one.kind, one.hint) for one, seen in held if one.path == field and one.hint and seen.last)

    def accept(self, one: Acceptance) -> Acceptance:
        """Keeps an acceptance; whoever calls has recorded it. It is in force at once."""
        found = self._store.accept(one)
        self._accepted = (*self._accepted, found)
        return found

    def withdraw(self, number: int, author: str, because: str) -> Acceptance:
        """Takes an acceptance back. Raises `KeyError` where there is none in force of that number."""
        held = next((one for one in self.in_force() if one.number == number), None)
        if held is None:
            raise KeyError(number)
        found = self._store.accept(replace(held, withdrawn_at=self._clock(), withdrawn_by=author, withdrawn_because=because))
        self._accepted = tuple(found if one.number == number else one for one in self._accepted)
        return found

    def pair(self, operation: str, field: str) -> Pair | None:
        """The latest pair of a replica that differed in a field, as far as it is still in memory."""
        with self._lock:
            return self._pairs.get((operation, field))

    def origins(self, operation: str, field: str) -> frozenset[str]:
        """Where the examples of a field came from."""
        self.flush()
        with self._lock:
            book = self._books.get(operation)
            own = [seen.number for signal, seen in book.signals.items() if signal.path == field] if book is not None else []
        return frozenset(one.origin for _, one in self._store.examples(book.number, own)) if book is not None else frozenset()

    def fields(self, operation: str) -> tuple[str, ...]:
        """Every field that ever differed in answers to an operation."""
        with self._lock:
            book = self._books.get(operation)
            return tuple(sorted({one.path for one in book.signals})) if book is not None else ()

    @property
    def operations(self) -> tuple[str, ...]:
        """Every operation that was ever compared."""
        with self._lock:
            return tuple(sorted(self._books))

    @property
    def answers(self) -> Answers:
        """How answers are read and compared."""
        return self._answers

    def flush(self) -> None:
        """Writes what is new; what can't be written now is with the next."""
        with self._writing:
            self._flush()

    async def run(self) -> None:
        """Writes every now and then, until it is cancelled; then once more."""
        compacted = self._clock()
        try:
            while True:
                await asyncio.sleep(FLUSHED)
                await asyncio.to_thread(self.flush)
                if self._clock() - compacted >= COMPACTED:
                    compacted = self._clock()
                    await asyncio.to_thread(self._store.compact, compacted)
        finally:
            self.flush()

    def compact(self) -> None:
        """Adds old figures up and forgets the oldest."""
        self.flush()
        self._store.compact(self._clock())

    def close(self) -> None:
        """Writes what is new and closes the file."""
        with suppress(ParityStoreError):
            self.flush()
        self._store.close()

    def _flush(self) -> None:
        with self._lock:
            self._tallies.forget(self._clock())
            examples, self._examples = self._examples, {}
            unsaved = [(book, set(book.unsaved), set(book.unsaved_patterns)) for book in self._books.values()]
            batch = Batch.of(self._books.values(), self._tallies.taken(), examples)
        if not (batch.tallies or batch.signals or batch.examples):
            return
        try:
            self._store.write(batch, self._clock())
        except ParityStoreError as error:
            self.failed[type(error).__name__] += 1
            with self._lock:
                for key, tally in batch.tallies.items():
                    self._tallies.waiting.setdefault(key, Counter()).update(tally)
                for book, signals, patterns in unsaved:
                    book.unsaved |= signals
                    book.unsaved_patterns |= patterns
                self._examples = batch.examples | self._examples

    def _window(self, since: float) -> dict[int, Tally]:
        with self._lock:
            found = self._tallies.window(since)
        if found is not None:
            return found
        with self._writing:  # nothing is on its way to the file meanwhile
            self._flush()
            with self._lock:
                return self._tallies.window(since) or self._tallies.watch(since, self._store.since(since))

    def _keep(self, book: Book, pair: Pair, found: Sequence[Difference]) -> None:
        """Keeps a masked example of each look, unless there was one just now, and the pair itself where it is of a replica."""
        told: set[int] = set()
        for one in found:
            seen = book.look(one)
            key = (book.number, seen.number)
            if seen.number in told or pair.at - self._shown_at.get(key, 0.0) < EXAMPLE_AGAIN:
                continue
            told.add(seen.number)
            self._shown_at[key] = pair.at
            count = self._counted[key] = self._counted.get(key, 0) + 1
            half = EXAMPLES // 2
            place = count - 1 if count <= EXAMPLES else half + count % (EXAMPLES - half)
            before, after = shapes(one)
            self._examples[(*key, place)] = Example(pair.at, pair.call_id, pair.origin, before, after, one.detail)
        if pair.origin == REPLICA:
            self._hold(pair, {one.path for one in found})

    def _hold(self, pair: Pair, paths: set[str]) -> None:
        size = len(pair.request) + len(pair.primary.reply) + len(pair.shadow.reply)
        size += sum(map(len, (*pair.primary.replies, *pair.shadow.replies)))
        if size > MOST_BYTES // MOST_PAIRS:
            return
        for path in paths:
            self._pairs[pair.operation, path] = pair
            self._pairs.move_to_end((pair.operation, path))
        while len(self._pairs) > MOST_PAIRS:
            self._pairs.popitem(last=False)
