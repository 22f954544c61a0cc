"""Makes other documents out of real ones. The same generator of chance makes the same document of the same seeds."""

import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

from tests.fuzz import structured
from tests.fuzz.values import ALL, HUGE, NUMBERS

LARGEST = 400_000
"""No document gets larger than this, or a run would only tell how fast bytes are copied."""
NUMBER = re.compile(rb"[0-9]+")
WORD = re.compile(rb"[A-Za-z0-9_.:/+-]+")
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff", b"+/v8-")
ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "utf-7", "latin-1", "cp1252", "cp037", "utf-8-sig", "ascii", "cp500")
NO_SEEDS = (b'{"a": [1, "b"]}', b"<a b='1'>c</a>", b"a,b\r\n1,2\r\n")
Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A document that comes of the seeds by one change, or by several."""
    seeds = seeds or NO_SEEDS
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 9))):
        change = chance.choice(structured.CHANGES) if chance.random() < 0.55 else chance.choice(CHANGES)
        with suppress(Exception):  # a change that can't be made to what others made of the document
            data = change(chance, data, seeds)[:LARGEST]
    return data


def _span(chance: random.Random, data: bytes, most: int = 64) -> tuple[int, int]:
    """Where a block begins and ends; short ones are likelier."""
    if not data:
        return 0, 0
    start = chance.randrange(len(data))
    longest = most if chance.random() < 0.8 else len(data)
    return start, min(len(data), start + 1 + int(longest * chance.random() ** 2))


def _flip(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return data
    held = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        held[chance.randrange(len(held))] ^= 1 << chance.randrange(8)
    return bytes(held)


def _set(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return data
    held = bytearray(data)
    held[chance.randrange(len(held))] = chance.choice(
        b"\x00\x01\t\n\r \"'&/<>[]{},;:|\x7f\x80\xc0\xed\xfe\xff" + bytes([chance.randrange(256)])
    )
    return bytes(held)


def _delete(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _double(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    times = chance.choice((2, 2, 3, 50)) if end - start < 1000 else 2
    return data[:start] + data[start:end] * times + data[end:]


def _swap(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    (a, b), (c, d) = sorted((_span(chance, data), _span(chance, data)))
    return data if b > c else data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _insert(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((chance.randbytes(chance.randrange(1, 9)), b"\x00", b"\r\n", b"\n", b"\t")) + data[at:]


def _truncate(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] if chance.random() < 0.8 else data[at:]


def _splice(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = chance.choice(seeds)
    if chance.random() < 0.3:
        start, end = _span(chance, other, 400)
        at = chance.randrange(len(data) + 1)
        return data[:at] + other[start:end] + data[at:]
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _number(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    one = chance.choice(found)
    width = one.end() - one.start()
    digits = bytes(chance.choices(b"0123456789", k=width))
    values = (chance.choice(NUMBERS).encode(), b"9" * width, b"0" * width, digits)
    return data[: one.start()] + chance.choice(values) + data[one.end() :]


def _word(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """A word becomes another one: of the same document, of another, or one on which readers stumble."""
    found = list(WORD.finditer(data[:20_000]))
    if not found:
        return data
    one = chance.choice(found)
    others = list(WORD.finditer(chance.choice(seeds)[:20_000]))
    value = chance.choice(others)[0] if others and chance.random() < 0.5 else chance.choice(ALL).encode("utf-8", "surrogatepass")
    return data[: one.start()] + value + data[one.end() :]


def _length(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """A binary number of two or four bytes, as lengths are, at the start or anywhere."""
    width = chance.choice((2, 4, 4))
    at = 0 if chance.random() < 0.5 else chance.randrange(len(data) + 1)
    size = max(0, len(data) - at - width)
    value = chance.choice((0, 1, size, size - 1, size + 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), 1 << 20, chance.getrandbits(16)))
    number = int(value % 2 ** (8 * width)).to_bytes(width, "big" if chance.random() < 0.8 else "little")
    return data[:at] + number + data[at + width :]


def _huge(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if chance.random() < 0.8:  # seldom, since they are slow for everybody
        return _word(chance, data, seeds)
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(HUGE).encode() + data[at:]


def _mark(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return chance.choice(BOMS) + data


def _encoding(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    text = data.decode(chance.choice(("utf-8", "latin-1")), "replace")
    try:
        return text.encode(chance.choice(ENCODINGS), "replace")
    except UnicodeError:
        return data


def _lines(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    old, new = chance.choice(((b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\n", b"\r"), (b" ", b"\xc2\xa0"), (b"\n", b"\x85"), (b">", b">\n")))
    return data.replace(old, new)


def _case(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[start:end].swapcase() + data[end:]


def _whole(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return chance.choice((b"", b" ", b"\x00", data + data, data[::-1], data + b"\x00", data + b"\n", chance.randbytes(60)))


CHANGES: Sequence[Mutation] = (
    *(_flip, _set, _delete, _double, _swap, _insert, _truncate, _splice, _number, _number, _word, _word, _length, _huge, _mark, _encoding),
    *(_lines, _case, _whole),
)
