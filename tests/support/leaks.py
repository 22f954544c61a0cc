"""Finds the invented people of the population wherever they stand in clear: names, births, addresses, numbers, in whatever bytes.

Names of the population are put together so that no other word is, and its numbers are of reserved ranges (adapters.kit.population), so that
what is found here is never anything else. A finding names where it was and of which kind, never the value.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import apsw

from adapters.kit.population import names, reserved, stories
from adapters.kit.population.places import STREETS, borough_index

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a file that are read; the rest of a larger one would be a store's, of which the beginning says enough."""
DATABASE: Final = b"SQLite format 3\x00"
EXCHANGE: Final = "exchange.sqlite"
KEPT_BY_THE_EXCHANGE: Final = {
    ("message", "body"),
    ("message", "idempotency_key"),
    ("message", "ordering_key"),
    ("delivery", "ordering_key"),
}
"""Columns that hold messages and what they are told apart by: the exchange must have both until it has delivered them, in a file of mode
0600, and deletes them when their retention is over. Every other column, reasons and acts of people among them, is looked at."""
ALLOWED: Final = {
    "state/sim-*": "what a simulator keeps is the far system's own, not the platform's",
    "identity/*": "certificates, keys and token issuer are made before anybody is asked about anybody",
}
"""Files of a home that are not looked at, and why."""

_TOKEN = re.compile(
    rb"(?<=[0-9])\.[0-9]+(?![A-Z0-9/])"
    rb"|(?<![A-Z0-9])[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}(?![A-Z0-9])"
    rb"|([A-Z0-9][A-Z0-9/]{5,27})"
)
"""What may be an identifier; nothing where it is the fraction of a number or the id of a call, since these may have any digits."""
_BINARY = re.compile(rb"%2F|%20|\\u0027")
_PLAIN = {b"%2F": b"/", b"%20": b" ", b"\\u0027": b"'"}


def _either(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_MONTHS = _either("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
IDENTIFIERS: Final = {
    "pnc_id": r"(?:(?:19|20)[0-9]{2}/?|[0-9]{2}/)9[0-9]{6}[A-Z]",
    "cro": r"9[0-9]{5}/[0-9]{2}[A-Z]",
    "arrest_summons_number": r"[0-9]{2}/?01[A-Z]{2}/?[A-Z0-9]{2}/?99[0-9]{9}[A-Z]",
    "court_case_reference": r"[0-9]{2}/2576/9[0-9]{5}[A-Z]",
    "custody_number": r"01[A-Z]{2}/[0-9]{1,6}/[0-9]{2}",
    "pti_urn": r"01[A-Z]{2}9[0-9]{4}[0-9]{2}",
    "cris_crime_reference": r"99[0-9]{5}/[0-9]{2}",
    "cad_number": rf"[6-9][0-9]{{4}}/[0-9]{{2}}{_MONTHS}[0-9]{{2}}",
    "merlin_reference": r"[0-9]{2}(?:PAC|MIS|ACN)9[0-9]{5}",
    "driver_number": r"[A-Z][A-Z9]{4}[0-9]{6}[A-Z9]{2}X[A-Z]{2}",
    "vin": r"000MET[A-Z]{2}0[A-Z]Z9[0-9]{5}",
    "uprn": r"9990[0-9]{8}",
    "vrm": r"[A-Z]{2}(?:00|01|50)[A-Z]{3}",
}
"""Numbers as systems write them, by kind, in the ranges of the population."""
_IDENTIFIER = re.compile(rf"(?<![A-Z0-9])(?:{'|'.join(f'(?P<{kind}>{form})' for kind, form in IDENTIFIERS.items())})(?![A-Z0-9])")
_VRMS = frozenset(reserved.vrm(number) for number in range(1, reserved.CAPACITY + 1))
_POSTCODES = frozenset(reserved.postcode(number, borough_index(number)).replace(" ", "").lower().encode() for number in range(STREETS))

_ENDS = tuple(end.lower().encode() for end in names.SURNAME_ENDS)
_FORENAME_ENDS = tuple({end.lower().encode() for end in (*names.MALE_ENDS, *names.FEMALE_ENDS)})
_PLACE_ENDS = tuple(end.lower().encode() for end in names.PLACE_ENDS)
_HEADS = _either(*(head.lower() for head in names.HEADS)) + _either(*(re.escape(link) for link in names.LINKS))
_SURNAME = re.compile((_HEADS + _either(*names.SURNAME_ENDS)).encode())
_FORENAME_HEADS = _either(*(head.lower() for head in names.FORENAME_HEADS))
_FORENAME = re.compile(rf"(?<![a-z]){_FORENAME_HEADS}{_either(*names.MALE_ENDS, *names.FEMALE_ENDS)}(?![a-z])".encode())
_STREET = re.compile(rf"{_HEADS}{_either(*names.PLACE_ENDS)} {_either(*(kind.lower() for kind in names._STREET_KINDS))}(?![a-z])".encode())
_POSTCODE = re.compile(rb"(?<![a-z0-9])zz[0-9]{1,2} ?[0-9][a-z]{2}(?![a-z0-9])")
_TELEPHONE = re.compile(rb"07700 ?900[0-9]{3}(?![0-9])|020 ?7946 ?0[0-9]{3}(?![0-9])")
_BIRTH = re.compile(
    rb"(?:birth|born|dob)[^0-9a-z]{0,12}(?:(?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9]|[0-3][0-9]/[01][0-9]/(?:19|20)[0-9]{2})"
)
_PARTS = tuple(filter(None, map(stories.part_of, stories.STORIES.values())))
_IN_STORIES = tuple({part.surname.lower().encode() for part in _PARTS})


def kinds_in(data: bytes) -> frozenset[str]:
    """Kinds of personal data of the population that stand in the bytes in clear."""
    data = _BINARY.sub(lambda found: _PLAIN[found[0]], data) if b"%" in data or b"\\u" in data else data
    lowered = data.lower()
    return frozenset({*_identifiers(data.upper()), *_words(lowered)})


def _words(lowered: bytes) -> Iterator[str]:
    if (any(end in lowered for end in _ENDS) and _SURNAME.search(lowered)) or any(name in lowered for name in _IN_STORIES):
        yield "surname"
    if any(end in lowered for end in _FORENAME_ENDS) and _FORENAME.search(lowered):
        yield "forename"
    if any(end in lowered for end in _PLACE_ENDS) and _STREET.search(lowered):
        yield "street"
    if b"zz" in lowered and any(found.replace(b" ", b"") in _POSTCODES for found in _POSTCODE.findall(lowered)):
        yield "postcode"
    if (b"07700" in lowered or b"7946" in lowered) and _TELEPHONE.search(lowered):
        yield "telephone"
    if (b"birth" in lowered or b"born" in lowered or b"dob" in lowered) and _BIRTH.search(lowered):
        yield "birth"


def _identifiers(upper: bytes) -> Iterator[str]:
    for token in set(_TOKEN.findall(upper)):
        for found in _IDENTIFIER.finditer(token.decode("ascii")):
            if found.lastgroup != "vrm" or found[0] in _VRMS:
                yield str(found.lastgroup)


@dataclass(frozen=True, order=True)
class Leak:
    """Something personal in clear where it must not be."""

    where: str
    kind: str

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}"


def leaks_of(where: str, data: bytes) -> Iterator[Leak]:
    """What leaks out of some bytes."""
    for kind in sorted(kinds_in(data)):
        yield Leak(where, kind)


def leaks_of_home(home: Path) -> Iterator[Leak]:
    """What leaks out of the files of a home, and out of their names."""
    for path in sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink()):
        name = str(path.relative_to(home))
        if any(fnmatch(name, pattern) for pattern in ALLOWED):
            continue
        for kind in sorted(kinds_in(name.encode()) | kinds_in(re.sub("[-_.]", "/", name).encode())):
            yield Leak(f"the name of a file in {Path(name).parent}", kind)
        if path.name.startswith(EXCHANGE) and path.name != EXCHANGE:
            continue  # its log and shared memory, which are read with it
        with path.open("rb") as file:
            data = file.read(LARGEST)
        if data.startswith(DATABASE):
            yield from _leaks_of_database(path, name)
        if path.name != EXCHANGE:
            yield from leaks_of(name, data)


def _leaks_of_database(path: Path, name: str) -> Iterator[Leak]:
    """Every column of every table, since columns stand beside one another in the file; but those of `KEPT_BY_THE_EXCHANGE`."""
    kept = KEPT_BY_THE_EXCHANGE if path.name == EXCHANGE else frozenset()
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        for (table,) in list(database.execute("select name from sqlite_schema where type = 'table'")):
            columns = [str(row[1]) for row in database.execute(f'pragma table_info("{table}")')]
            wanted = ", ".join(f'"{column}"' for column in columns if (table, column) not in kept)
            rows: Any = database.execute(f'select {wanted} from "{table}"')
            values = (value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
            yield from leaks_of(f"{name}, table {table}", b"\n".join(values))
    finally:
        database.close()
