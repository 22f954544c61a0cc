"""Verifies a ledger, a bundle or a proof on any machine: one file, the standard library and one Ed25519 call of `cryptography`.

    python verifier.py ledger.sqlite --vkey ledger.vkey [--witness-vkey witness.vkey] [--known checkpoint.txt] [--json]

A ledger verifies when every leaf is in its place and is what the tiles say, the tiles make up the tree (RFC 6962), every checkpoint is
signed by a trusted key and is the root of the leaves so far (so each begins the next), every journal's positions are 1, 2, 3, … and its
chain follows. What was cut off at the end, down to an earlier checkpoint, shows only against one that somebody else has: `--known`.

The first bad record is named by its index and, where that can be told, its journal and position. A key is given as text or as a file of
keys, one a line. Ends with 0 if all is well, 1 if not, 2 if there is nothing to verify: no such file, no ledger, no key.

A bundle is JSON: `format` (`metip-ledger-bundle/1`), `checkpoint`, `cosigned`, `signature`, and `leaves`, each with `index`, `leaf`,
`proof` and `particulars`; bytes are base64. A proof is the same without `signature`, in the format `metip-ledger-proof/1`. Long because
it is the one file that is handed out, and imports nothing that would have to be handed out with it.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH: Final = 256
MOST_BETWEEN: Final = 1000
"""Leaves between two checkpoints at most."""
NEAR: Final = 5000
"""Leaves behind a bad one in which its journal is looked for."""
MAGIC: Final = b"SQLite format 3\0"
BUNDLE, PROOF = "metip-ledger-bundle/1", "metip-ledger-proof/1"
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
DASH: Final = "\u2014 "
_sha256 = hashlib.sha256


class UnverifiableError(Exception):
    """There is nothing to verify; the text says why."""


class BadError(Exception):
    """Something is not as it was signed."""

    def __init__(self, what: str, index: int | None = None, journal: str | None = None, position: int | None = None) -> None:
        super().__init__(what)
        self.fault = Fault(what, index, journal, position)


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong."""

    what: str
    index: int | None = None
    """The first bad record's place in the ledger, from 0."""
    journal: str | None = None
    position: int | None = None

    def __str__(self) -> str:
        place = "" if self.index is None else f"record {self.index}"
        if self.journal is not None:
            place += f" (journal {self.journal}, position {self.position})"
        return f"{place}: {self.what}" if place else self.what


@dataclass
class Report:
    """What was verified."""

    kind: str
    """`ledger`, `bundle` or `proof`."""
    verified: bool = False
    origin: str = ""
    records: int = 0
    checkpoints: int = 0
    size: int = 0
    """Leaves of the newest checkpoint, which is the one that a bundle or a proof is against."""
    root: str = ""
    cosigned: int | None = None
    """Leaves of the newest checkpoint with a witness's signature, which was checked if the witness's key was given."""
    journals: dict[str, int] = field(default_factory=dict)
    """Position that each journal has come to."""
    seconds: float = 0.0
    fault: Fault | None = None


@dataclass(frozen=True)
class Key:
    """A verifier key in C2SP's form; type 1 signs, type 4 cosigns."""

    name: str
    id: bytes
    kind: int
    public: Ed25519PublicKey

    @classmethod
    def parsed(cls, text: str) -> "Key":
        """Reads `name+id+key`. Raises `UnverifiableError`."""
        parts = text.strip().split("+", 2)
        content = _base64(parts[2]) if len(parts) == 3 else None
        if content is None or len(content) != 33 or content[0] not in (1, 4):
            raise UnverifiableError("that is no verifier key: it has a name, an id and an Ed25519 key, joined by +")
        own = _sha256(parts[0].encode() + b"\n" + content).digest()[:4]
        if own.hex() != parts[1]:
            raise UnverifiableError(f"the key of {parts[0]} has the id {own.hex()}, not the one that is stated")
        return cls(parts[0], own, content[0], Ed25519PublicKey.from_public_bytes(content[1:]))

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether a signature is of that text."""
        signed = text.encode()
        if self.kind == 4:
            stamp, signature = signature[:8], signature[8:]
            signed = b"cosignature/v1\ntime %d\n" % int.from_bytes(stamp, "big") + signed
        try:
            self.public.verify(signature, signed)
        except (InvalidSignature, ValueError):
            return False
        return True


def keys(arguments: Sequence[str]) -> list[Key]:
    """Keys from texts or files. Raises `UnverifiableError`."""
    found = []
    for one in arguments:
        try:
            content = Path(one).read_text(encoding="utf-8") if "+" not in one or Path(one).is_file() else one
        except (OSError, UnicodeDecodeError) as error:
            raise UnverifiableError(f"{one} is neither a verifier key nor a file of them: {error}") from None
        found += [Key.parsed(line) for line in content.splitlines() if line.strip()]
    return found


def opened_note(content: str, trusted: Sequence[Key]) -> tuple[str, list[Key]]:
    """The text of a signed note, and who of the trusted signed. Raises `BadError`: a trusted key's signature must be right."""
    text, gap, tail = content.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise BadError("it is no signed note")
    text, signers = text + "\n", []
    for line in tail[:-1].split("\n"):
        name, _, encoded = line.removeprefix(DASH).partition(" ")
        signature = _base64(encoded)
        if not line.startswith(DASH) or not name or signature is None or len(signature) < 5:
            raise BadError("a signature's line is not of the form")
        for key in trusted:
            if (key.name, key.id) == (name, signature[:4]):
                if not key.verify(text, signature[4:]):
                    raise BadError(f"the signature of {name} is not of its text")
                signers.append(key)
    return text, signers


def opened_checkpoint(content: object, trusted: Sequence[Key]) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that a trusted key of its origin signed. Raises `BadError`."""
    if not isinstance(content, str):
        raise BadError("it is no text")
    text, signers = opened_note(content, trusted)
    lines = text.split("\n")
    root = _base64(lines[2]) if len(lines) == 4 else None
    if root is None or len(root) != 32 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1], re.ASCII):
        raise BadError("it is no checkpoint: origin, size, root")
    if not any(key.name == lines[0] for key in signers):
        raise BadError("no trusted key of its origin signed it")
    return lines[0], int(lines[1]), root


def entry(leaf: bytes) -> tuple[str, int, bytes, bytes]:
    """Journal, position, record and chain of a leaf: fields 1 to 4 of `metip.ledger.v1.Entry`, each once, in order. Raises `ValueError`."""
    at, found = 0, list[Any]()
    for tag in (0x0A, 0x10, 0x1A, 0x22):
        if at >= len(leaf) or leaf[at] != tag:
            raise ValueError("a field is missing")
        value = shift = 0
        at += 1
        while True:
            byte = leaf[at] if at < len(leaf) and shift < 63 else 256
            if byte > 255:
                raise ValueError("a number has no end")
            value |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if byte < 0x80:
                break
        found.append(value if tag == 0x10 else leaf[at : at + value])
        at += 0 if tag == 0x10 else value
    if at != len(leaf):
        raise ValueError("there is more than four fields, or less")
    journal = found[0].decode("ascii", "replace")
    if not NAME.fullmatch(journal) or not found[2] or len(found[3]) != 32:
        raise ValueError("a field can't be so")
    return journal, found[1], found[2], found[3]


class Ledger:
    """One pass over a ledger's file, leaf by leaf."""

    def __init__(self, database: sqlite3.Connection, trusted: Sequence[Key], witnesses: Sequence[Key], report: Report) -> None:
        self._database, self._trusted, self._witnesses, self.report = database, trusted, witnesses, report
        self.peaks: list[bytes] = []
        self.size = 0
        self._reached: dict[str, tuple[int, bytes, int]] = {}
        """Position, chain and index of each journal's last record."""
        self._good = 0
        """Leaves of the last checkpoint that was right."""
        self._upper: dict[tuple[int, int], bytes] = {}
        """Tiles above level 0 that are compared entry by entry."""
        self._doubt: BadError | None = None
        """A leaf that is not what its tile says, until a checkpoint tells which of the two is wrong."""

    def verify(self, known: Sequence[tuple[str, int, bytes]], progress: Callable[[int, int], None]) -> None:
        """Raises `BadError` for the first bad record."""
        rows = self._all("select size, note, cosigned from checkpoints order by size")
        if not rows:
            raise BadError("there is no checkpoint", 0)
        elsewhere = {size: (origin, root) for origin, size, root in known}
        total = max([size for size, _, _ in rows if isinstance(size, int)] + list(elsewhere))
        leaves = self._leaves()
        for size, note, cosigned in self._stops(rows, elsewhere):
            self._grow(leaves, size, total, progress)
            if note is not None:
                self._check_checkpoint(size, note, cosigned)
            self._check_known(elsewhere)
        for index, _ in leaves:
            raise BadError(f"it is beyond the newest checkpoint, which is of {self.size} records: nobody signed it", index)
        for size in sorted(elsewhere):
            if size > self.size:
                raise BadError(f"it is missing: a checkpoint of {size} records was signed, and here are {self.size}", self.size)
        self._check_tiles()
        self._check_journals()

    def _stops(self, rows: list[Any], elsewhere: dict[int, tuple[str, bytes]]) -> Iterator[tuple[int, Any, Any]]:
        """Checkpoints in order, and between them, without a note, the sizes that are known elsewhere."""
        before = 0
        for size, note, cosigned in rows:
            yield from ((one, None, None) for one in sorted(elsewhere) if before < one < size)
            if size - before > MOST_BETWEEN:
                what = f"no checkpoint is of it: there is none between {before} and {size}, and at most {MOST_BETWEEN} records are without"
                raise BadError(what, before + MOST_BETWEEN)
            yield size, note, cosigned
            before = size

    def _grow(self, leaves: Iterator[tuple[int, Any]], size: int, total: int, progress: Callable[[int, int], None]) -> None:
        tile = b""
        while self.size < size:
            index = self.size
            if index % WIDTH == 0 or not tile:
                tile = self._tile(0, index // WIDTH)
            if index % 10_000 == 0:
                progress(index, total)
            found, leaf = next(leaves, (None, b""))
            if found != index:
                self._settle_missing(index, found)
            self._check_leaf(index, leaf, tile)

    def _check_leaf(self, index: int, leaf: Any, tile: bytes) -> None:
        if not isinstance(leaf, bytes):
            raise BadError("it is not bytes", index)
        digest = _sha256(b"\x00" + leaf).digest()
        at = index % WIDTH * 32
        if self._doubt is None and tile[at : at + 32] != digest:
            words = "it is not what its tile says" if len(tile) >= at + 32 else "its tile is missing or ends before it"
            self._doubt = BadError(words, index, *self._placed(index, leaf))
        if self._doubt is None:
            self._check_entry(index, leaf)
        self._append(digest)

    def _check_entry(self, index: int, leaf: bytes) -> None:
        try:
            journal, position, record, chain = entry(leaf)
        except ValueError as error:
            raise BadError(f"it is no entry: {error}", index) from None
        known = self._reached.get(journal)
        last, before = known[:2] if known else (0, _sha256(b"metip-journal/1\n" + journal.encode()).digest())
        if position != last + 1:
            raise BadError(f"position {last + 1} of its journal must come here", index, journal, position)
        if _sha256(b"\x02" + before + _sha256(b"\x00" + record).digest()).digest() != chain:
            raise BadError(f"its chain does not follow from position {last} of its journal", index, journal, position)
        self._reached[journal] = (position, chain, index)

    def _append(self, node: bytes) -> None:
        size, level = self.size, 0
        self.size += 1
        self.peaks.append(node)
        while size & 1:
            right, left = self.peaks.pop(), self.peaks.pop()
            node = _sha256(b"\x01" + left + right).digest()
            self.peaks.append(node)
            size, level = size >> 1, level + 1
            if level % 8 == 0 and self._doubt is None:
                self._check_upper(level // 8, size, node)

    def _check_upper(self, level: int, number: int, node: bytes) -> None:
        """An entry of an upper tile is the root of the records below it."""
        tile = self._upper.get((level, number // WIDTH))
        if tile is None:
            self._upper = {place: kept for place, kept in self._upper.items() if place[0] != level}
            tile = self._upper[level, number // WIDTH] = self._tile(level, number // WIDTH)
        at = number % WIDTH * 32
        if tile[at : at + 32] != node:
            first = number << 8 * level
            what = f"tile {number // WIDTH} of level {level} says otherwise of the records {first} to {self.size - 1}"
            self._doubt = BadError(what, first, *self._named_at(first))

    def root(self) -> bytes:
        """The root over the leaves so far."""
        found = b""
        for peak in reversed(self.peaks):
            found = _sha256(b"\x01" + peak + found).digest() if found else peak
        return found or _sha256().digest()

    def _check_checkpoint(self, size: int, note: Any, cosigned: Any) -> None:
        last = max(size - 1, 0)
        try:
            origin, said, root = opened_checkpoint(note, self._trusted)
            if said != size:
                raise BadError(f"it is of {said} records")
            if self.report.origin not in ("", origin):
                raise BadError(f"its origin is {origin}, and others' is {self.report.origin}")
            if cosigned is not None:
                self._check_cosigned(note, cosigned)
                self.report.cosigned = size
        except BadError as error:
            raise self._doubt or BadError(f"the checkpoint of {size} records: {error}", last, *self._named_at(last)) from None
        right = self.root() == root
        if self._doubt is not None:
            fault = self._doubt.fault
            words = "; by the checkpoint the record is as it was signed, and the tile is wrong" if right else ", and was changed"
            raise BadError(fault.what + words, fault.index, fault.journal, fault.position)
        if not right:
            which = f"one of the records {self._good} to {size - 1} is not as it was signed: the checkpoint of {size} has another root"
            raise BadError(which, self._good, *self._named_at(self._good))
        self._good = size
        self.report.origin, self.report.size, self.report.root = origin, size, base64.b64encode(root).decode()
        self.report.checkpoints += 1

    def _check_cosigned(self, note: str, cosigned: Any) -> None:
        if not isinstance(cosigned, str) or cosigned.rpartition("\n\n")[0] != note.rpartition("\n\n")[0]:
            raise BadError("its cosigned form has another text")
        if self._witnesses and not opened_note(cosigned, self._witnesses)[1]:
            raise BadError("its cosigned form is not signed by a trusted witness")

    def _check_known(self, elsewhere: dict[int, tuple[str, bytes]]) -> None:
        """What somebody else has of this ledger is what is here."""
        if self._doubt is not None or self.size not in elsewhere:
            return
        origin, root = elsewhere[self.size]
        if root != self.root() or self.report.origin not in ("", origin):
            raise BadError(f"the ledger was rewritten: another checkpoint of {self.size} records is known elsewhere", max(self.size - 1, 0))

    def _check_tiles(self) -> None:
        """There is a tile for everything, as long as it must be, and nothing beyond."""
        wanted, level, entries = dict[tuple[int, int], int](), 0, self.size
        while entries:
            wanted |= {(level, index): min(WIDTH, entries - index * WIDTH) * 32 for index in range(-(-entries // WIDTH))}
            level, entries = level + 1, entries // WIDTH
        for level, index, length in self._all("select level, idx, length(hashes) from tiles order by level, idx"):
            if wanted.pop((level, index), None) != length:
                raise BadError(f"tile {index} of level {level} is of {length} bytes, which it can't be", index * WIDTH << 8 * level)
        for level, index in wanted:
            raise BadError(f"tile {index} of level {level} is missing", index * WIDTH << 8 * level)

    def _check_journals(self) -> None:
        found = {name: tuple(rest) for name, *rest in self._all("select name, position, chain, idx from journals")}
        for name in sorted({*found, *self._reached}, key=str):
            if found.get(name) != self._reached.get(name):
                position, _, index = self._reached.get(name, (None, b"", None))
                raise BadError("the table of journals says otherwise of its last record", index, str(name), position)
        self.report.journals = {name: at[0] for name, at in sorted(self._reached.items())}

    def _settle_missing(self, index: int, found: int | None) -> None:
        """A leaf is not there: which record it was shows by the journal that goes on with a gap."""
        if self._doubt is not None:
            fault = self._doubt.fault
            raise BadError(f"{fault.what}, and there are too few behind it", fault.index, fault.journal, fault.position)
        if found is not None and found < index:
            raise BadError("it has no place in the ledger", found)
        raise BadError("it is missing", index, *self._gone(index))

    def _placed(self, index: int, leaf: Any) -> tuple[str | None, int | None]:
        """Journal and position of the record that belongs where a leaf is that should not be so: another's, or the leaf's own."""
        journal, position = self._named(leaf)
        due = self._last(journal) + 1
        found = self._gone(index, {journal: position} if position == due else {})
        if found[0] is not None or position is None:
            return found
        return journal, min(position, due)  # nothing behind it shows a gap, so at most it does itself

    def _gone(self, index: int, passed: dict[str | None, int | None] | None = None) -> tuple[str | None, int | None]:
        """Journal and position of the record that belongs at an index, by the first journal that goes on behind it with a gap, or by the
        table of journals where it was its journal's last.

        `passed` is the journal that the leaf at the index continues, which then has none.
        """
        seen = set[str | None]()
        for (leaf,) in self._all(f"select leaf from leaves where idx > {int(index)} order by idx limit {NEAR}"):
            journal, position = self._named(leaf)
            last = (passed or {}).get(journal) or self._last(journal)
            if position is not None and journal not in seen and position > last + 1:
                return journal, last + 1
            seen.add(journal)
        for journal, position in self._all(f"select name, position from journals where idx = {int(index)}"):
            if isinstance(journal, str) and isinstance(position, int):
                return journal, position
        return None, None

    def _last(self, journal: str | None) -> int:
        return self._reached[journal][0] if journal in self._reached else 0

    def _named(self, leaf: Any) -> tuple[str | None, int | None]:
        try:
            return entry(leaf)[:2]
        except (ValueError, TypeError):
            return None, None

    def _named_at(self, index: int) -> tuple[str | None, int | None]:
        rows = self._all(f"select leaf from leaves where idx = {int(index)}")
        return self._named(rows[0][0]) if rows else (None, None)

    def _leaves(self) -> Iterator[tuple[int, Any]]:
        try:
            yield from self._database.execute("select idx, leaf from leaves order by idx")
        except sqlite3.Error as error:
            raise BadError(f"the file can't be read here: {error}", self.size) from None

    def _tile(self, level: int, index: int) -> bytes:
        rows = self._all(f"select hashes from tiles where level = {int(level)} and idx = {int(index)}")
        return rows[0][0] if rows and isinstance(rows[0][0], bytes) else b""

    def _all(self, statement: str) -> list[Any]:
        try:
            return self._database.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise BadError(f"the file can't be read here: {error}", self.size) from None


def verify_ledger(
    path: Path,
    trusted: Sequence[Key],
    witnesses: Sequence[Key] = (),
    *,
    known: Sequence[tuple[str, int, bytes]] = (),
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Verifies a ledger's file; `known` are checkpoints (origin, size, root) that somebody else has of it. Raises `UnverifiableError`."""
    began, report = time.monotonic(), Report("ledger")
    with closing(_database(path)) as database:
        ledger = Ledger(database, trusted, witnesses, report)
        try:
            ledger.verify(known, progress)
            report.verified = True
        except BadError as error:
            report.fault = error.fault
    report.records, report.seconds = ledger.size, time.monotonic() - began
    return report


def _database(path: Path) -> sqlite3.Connection:
    address, options = path.resolve().as_uri(), ["?mode=ro"]
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or log.stat().st_size == 0:
        options.append("?mode=ro&immutable=1")  # a copy in a folder where no lock can be taken; with a log it would not be all there is
    problem = ""
    for option in options:
        try:
            database = sqlite3.connect(address + option, uri=True, isolation_level=None, check_same_thread=False)
            database.text_factory = _lenient
            database.execute("begin")
            tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        except sqlite3.Error as error:
            problem = f"{path} can't be read: {error}"
            continue
        if not {"leaves", "tiles", "checkpoints", "journals"} <= tables:
            raise UnverifiableError(f"{path} is no ledger: it has not the tables of one")
        return database
    raise UnverifiableError(problem)


def _lenient(content: bytes) -> str:
    """Text that is not UTF-8 is none that was signed; to say so takes a text."""
    return content.decode("utf-8", "replace")


def verify_document(content: str, trusted: Sequence[Key], witnesses: Sequence[Key] = ()) -> Report:
    """Verifies a bundle or a proof. Raises `UnverifiableError` for what is neither."""
    began = time.monotonic()
    try:
        said: Any = json.loads(content)
        kind = {BUNDLE: "bundle", PROOF: "proof"}[said["format"]]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise UnverifiableError(f"that is neither a ledger nor JSON of the format {BUNDLE} or {PROOF}") from None
    report = Report(kind)
    try:
        _check_document(said, trusted, witnesses, report)
        report.verified = True
    except BadError as error:
        report.fault = error.fault
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        report.fault = Fault(f"it is not of the format: {type(error).__name__}")
    report.seconds = time.monotonic() - began
    return report


def _check_document(said: Any, trusted: Sequence[Key], witnesses: Sequence[Key], report: Report) -> None:
    note, digest = said["checkpoint"], _sha256()
    try:
        report.origin, report.size, root = opened_checkpoint(note, trusted)
        if said.get("cosigned"):
            if said["cosigned"].rpartition("\n\n")[0] != note.rpartition("\n\n")[0]:
                raise BadError("its cosigned form has another text")
            if witnesses and not opened_note(said["cosigned"], witnesses)[1]:
                raise BadError("its cosigned form is not signed by a trusted witness")
            report.cosigned = report.size
    except BadError as error:
        raise BadError(f"the checkpoint: {error}") from None
    report.root, report.checkpoints = base64.b64encode(root).decode(), 1
    digest.update(note.encode())
    for one in said["leaves"]:
        leaf, index, particulars = _bytes(one["leaf"]), int(one["index"]), one.get("particulars", "")
        try:
            journal, position = entry(leaf)[:2]
        except ValueError as error:
            raise BadError(f"it is no entry: {error}", index) from None
        if path_root(_sha256(b"\x00" + leaf).digest(), index, report.size, [_bytes(each) for each in one["proof"]]) != root:
            raise BadError(f"its proof does not lead to the root of the {report.size} records that were signed", index, journal, position)
        for part in (index.to_bytes(8, "big"), _sha256(leaf).digest(), _sha256(particulars.encode()).digest()):
            digest.update(part)
        report.records += 1
    if report.kind == "bundle":
        text, signers = opened_note(said["signature"], trusted)
        if text != f"{BUNDLE}\n{report.records}\n{base64.b64encode(digest.digest()).decode()}\n":
            raise BadError("the bundle's signature is of another content: something was left out, added or changed")
        if not any(key.name == report.origin for key in signers):
            raise BadError("no trusted key of the ledger signed the bundle")


def path_root(node: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, section 2.1.3.2); None for a path that is none."""
    last = size - 1
    if not 0 <= index <= last:
        return None
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = _sha256(b"\x01" + sibling + node).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = _sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


def _bytes(encoded: str) -> bytes:
    return base64.b64decode(encoded, validate=True)


def _base64(encoded: str) -> bytes | None:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == encoded else None


class Progress:
    """Says on standard error how far long work is, once a second."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 1.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1.0
            sys.stderr.write(f"{done:,} of {total:,} records\n")
            sys.stderr.flush()


def verify(path: Path, trusted: Sequence[Key], witnesses: Sequence[Key] = (), *, known: Sequence[tuple[str, int, bytes]] = ()) -> Report:
    """Verifies whatever is in a file. Raises `UnverifiableError`."""
    try:
        with path.open("rb") as file:
            is_database = file.read(len(MAGIC)) == MAGIC
        if is_database:
            return verify_ledger(path, trusted, witnesses, known=known, progress=Progress())
        return verify_document(path.read_text(encoding="utf-8"), trusted, witnesses)
    except OSError as error:
        raise UnverifiableError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnverifiableError(f"{path} is neither a ledger nor text") from None


def told(report: Report) -> str:
    """A report in words."""
    if report.fault is not None:
        return f"NOT VERIFIED: {report.fault}"
    witnessed = "no witness" if report.cosigned is None else f"a witness up to {report.cosigned:,}"
    counted = f"{report.records:,} {'record' if report.records == 1 else 'records'} of {report.origin}"
    return f"verified: {counted}, {report.checkpoints:,} checkpoints, signed up to {report.size:,}, {witnessed}, in {report.seconds:.1f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="verifier.py", description="Verify a ledger, a bundle or a proof.")
    parser.add_argument("file", type=Path, help="a ledger's SQLite file, a bundle or a proof")
    parser.add_argument("--vkey", action="append", required=True, help="verifier key of the ledger, or a file of them; may be repeated")
    parser.add_argument("--witness-vkey", action="append", default=[], help="verifier key of a witness, or a file of them")
    parser.add_argument("--known", action="append", default=[], type=Path, help="a checkpoint of this ledger that you have from elsewhere")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    said = parser.parse_args(arguments)
    try:
        trusted = keys(said.vkey)
        known = []
        for path in said.known:
            try:
                known.append(opened_checkpoint(path.read_text(encoding="utf-8"), trusted))
            except (OSError, UnicodeDecodeError, BadError) as error:
                raise UnverifiableError(f"{path} is no checkpoint of the ledger: {error}") from None
        report = verify(said.file, trusted, keys(said.witness_vkey), known=known)
    except UnverifiableError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(asdict(report)) + "\n" if said.json else f"{told(report)}\n")
    return 0 if report.verified else 1


if __name__ == "__main__":
    sys.exit(main())
