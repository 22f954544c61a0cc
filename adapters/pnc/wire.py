"""The codec of the PNC host interface: bytes to `Transaction` and back, the same bytes, with no I/O.

A message is a root tag holding segments, each a three-letter tag around text of fixed width. That is a small corner of
XML, and what XML allows beyond it (comments, CDATA, document types, deeper nesting) would be an accident or an attack
here. So a hand tokenizer of four patterns reads it: it keeps every byte, which no XML parser does, and its work is
linear in the size of the message.

Bytes are read as UTF-8; a byte that is not UTF-8 (a Latin-1 pound sign, a damaged one) is kept for `encode` and read as
Latin-1. Everything that can go wrong is a `WireError`, which never quotes the message.
"""

import re
from collections.abc import Iterable
from typing import Final

from adapters.pnc.records import HEADER, SEGMENTS, TRAILER, Direction, Header, Reason, Segment, Trailer, Transaction, WireError, runs

__all__ = ["MAX_MESSAGE", "Direction", "Header", "Reason", "Segment", "Trailer", "Transaction", "WireError", "decode", "encode", "runs"]

MAX_MESSAGE: Final = 1 << 20
"""Bytes. The longest segment has 4,957 characters and a case at most 100 offences: a real message stays far below."""

DECLARATION: Final = '<?xml version="1.0" standalone="yes"?>'

_BLANK = r"[ \t\r\n]"
_NAME = r"[A-Za-z][A-Za-z0-9_.:-]{0,31}"
_PROLOG = re.compile(rf"\ufeff?{_BLANK}*+(?:<\?[^<>]*+>{_BLANK}*+)?<({_NAME})(?:{_BLANK}[^<>]*)?(?<!/)>{_BLANK}*+")
_LEAF = re.compile(rf"(<({_NAME})(?:{_BLANK}[^<>]*?)?(?:/>|>([^<]*+)</\2{_BLANK}*>))({_BLANK}*+)")
_OPEN = re.compile(rf"<({_NAME})(?:{_BLANK}[^<>]*)?(?<!/)>{_BLANK}*+(?=<)")
_CLOSE = re.compile(rf"(</({_NAME}){_BLANK}*>)({_BLANK}*+)")
_START = re.compile(rf"<{_NAME}(?:{_BLANK}[^<>]*)?>")

_set = object.__setattr__  # spelling is no argument of the records, so that a changed copy has none

_BREAK = re.compile(r"\r\n|\r|\n")
_REFERENCE = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|apos|quot));")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "apos": "'", "quot": '"'}
_LATIN_1: Final = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}  # surrogateescape's stand-ins


def decode(data: bytes) -> Transaction:
    """Reads one message. White space around it is kept; anything else around it, or but segments in it, is refused.

    Raises `WireError` with the byte offset. `Transaction.problems` tells of a message that reads but contradicts itself.
    """
    if len(data) > MAX_MESSAGE:
        raise WireError(Reason.TOO_LARGE, offset=MAX_MESSAGE)
    text = data.decode("utf-8", "surrogateescape")
    prolog = _PROLOG.match(text)
    if prolog is None:
        raise _not_a_document(text)
    root: str = prolog[1]
    segments, end = _elements(text, prolog.end(), root)
    if not segments or segments[0].tag != "GMH" or segments[0].children:
        raise _at(Reason.NO_HEADER, text, prolog.end())
    if len(segments) < 2 or segments[-1].tag != "GMT" or segments[-1].children:
        raise _at(Reason.NO_TRAILER, text, end)
    header, trailer = Header.read(segments[0].body), Trailer.read(segments[-1].body)
    if header is None:
        raise _at(Reason.HEADER_WIDTH, text, prolog.end())
    if trailer is None:
        raise _at(Reason.TRAILER_WIDTH, text, end)
    transaction = Transaction(root, header, tuple(segments[1:-1]), trailer)
    before = text[: prolog.end()] + _written(segments[:1])
    after = _written(segments[-1:]) + text[end:]
    _set(transaction, "spelling", (before, after))
    return transaction


def encode(transaction: Transaction) -> bytes:
    """Writes one message: what was decoded as it came; what was built in one spelling, without white space.

    Raises `WireError` if a header or trailer part has the wrong width, a tag is no tag, a character has no bytes, or the
    message is over `MAX_MESSAGE`.
    """
    root, spelling = transaction.root, transaction.spelling
    if spelling is None:
        _check_tag(root)
        header, trailer = _escape(transaction.header.body()), _escape(transaction.trailer.body())
        spelling = (f"{DECLARATION}<{root}><GMH>{header}</GMH>", f"<GMT>{trailer}</GMT></{root}>")
    text = spelling[0] + _written(transaction.segments) + spelling[1]
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate in a segment that was not built by `Segment.of`
        raise WireError(Reason.UNCARRIABLE) from None
    if len(data) > MAX_MESSAGE:
        raise WireError(Reason.TOO_LARGE, offset=MAX_MESSAGE)
    return data


def _elements(text: str, position: int, root: str) -> tuple[list[Segment], int]:
    """The segments inside the root, and where the root's closing tag begins."""
    segments: list[Segment] = []
    wrapper: tuple[str, str] | None = None  # tag and source of an element that holds segments; never two deep
    held: list[Segment] = []
    while True:
        leaf = _LEAF.match(text, position)
        if leaf is not None:
            source, tag, raw, tail = leaf.groups()
            (segments if wrapper is None else held).append(_spelt(tag, _body(tag, raw or ""), (), source, "", tail))
            position = leaf.end()
            continue
        close = _CLOSE.match(text, position)
        if close is not None:
            if close[2] != (root if wrapper is None else wrapper[0]):
                raise _at(Reason.MISMATCHED, text, position)
            if wrapper is None:
                if close.end() != len(text):
                    raise _at(Reason.TRAILING_DATA, text, close.end())
                return segments, position
            segments.append(_spelt(wrapper[0], "", tuple(held), wrapper[1], close[1], close[3]))
            wrapper, held = None, []
            position = close.end()
            continue
        start = _OPEN.match(text, position)
        if start is None:
            raise _malformed(text, position)
        if wrapper is not None:
            raise _at(Reason.TOO_DEEP, text, position)
        wrapper = (start[1], start[0])
        position = start.end()


def _spelt(tag: str, body: str, children: tuple[Segment, ...], head: str, foot: str, tail: str) -> Segment:
    segment = Segment(tag, body, children)
    _set(segment, "spelling", (head, foot, tail))
    return segment


def _body(tag: str, raw: str) -> str:
    """What a body says: references decoded, foreign bytes legible, line breaks undone."""
    if "&" in raw:
        raw = _REFERENCE.sub(_character, raw)
    if not raw.isascii():
        raw = raw.translate(_LATIN_1)
    if "\n" in raw or "\r" in raw:
        raw = _unbroken(raw, _WIDTHS.get(tag))
    return raw


_WIDTHS: Final = {tag: layout.width for tag, layout in (*SEGMENTS.items(), ("GMH", HEADER), ("GMT", TRAILER))}


def _unbroken(body: str, width: int | None) -> str:
    """Takes out the line breaks that editors and loggers put into long bodies; the table's width tells what came with them.

    A break was inserted, perhaps with an indent behind it, or took the place of one blank. Where the width is not known,
    or the body is also cut short at its right end, blanks behind a break are taken for data.
    """
    lines = _BREAK.split(body)
    if not lines[0]:
        lines[1] = lines[1].lstrip(" \t")  # no body begins with a blank: the update type or a reference leads it
    if width is None:
        return "".join(lines)
    length = sum(map(len, lines))
    if length + len(lines) - 1 == width:
        return " ".join(lines)
    excess = length - width
    for number in range(1, len(lines)):
        rest = lines[number].lstrip(" \t")
        share = -(-excess // (len(lines) - number))  # one indent for all breaks is likelier than all of it at the first
        cut = max(0, min(share, len(lines[number]) - len(rest)))
        lines[number] = lines[number][cut:]
        excess -= cut
    return "".join(lines)


def _character(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name is not None:
        return _NAMED[name]
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return reference[0]  # names no character, so it stands for itself
    return chr(code)


def _written(segments: Iterable[Segment]) -> str:
    parts: list[str] = []
    for segment in segments:
        head, foot, tail = segment.spelling or _canonical(segment)
        parts += (head, _written(segment.children), foot, tail) if segment.children else (head, foot, tail)
    return "".join(parts)


def _canonical(segment: Segment) -> tuple[str, str, str]:
    _check_tag(segment.tag)
    if segment.children:
        return f"<{segment.tag}>", f"</{segment.tag}>", ""
    return f"<{segment.tag}>{_escape(segment.body)}</{segment.tag}>", "", ""


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _check_tag(tag: str) -> None:
    if not re.fullmatch(_NAME, tag):
        raise WireError(Reason.UNKNOWN_SEGMENT)


def _at(reason: Reason, text: str, position: int) -> WireError:
    return WireError(reason, offset=len(text[:position].encode("utf-8", "surrogateescape")))


def _not_a_document(text: str) -> WireError:
    rest = text.lstrip("\ufeff \t\r\n")
    if not rest:
        return _at(Reason.TRUNCATED, text, len(text))
    if not rest.startswith("<"):
        return _at(Reason.NOT_A_DOCUMENT, text, len(text) - len(rest))
    if rest.count("<") > rest.count(">") or re.fullmatch(rf"<\?[^<>]*>{_BLANK}*", rest):
        return _at(Reason.TRUNCATED, text, len(text))
    return _at(Reason.MALFORMED, text, len(text) - len(rest))


def _malformed(text: str, position: int) -> WireError:
    """Why no pattern fits at a place inside the root."""
    if position == len(text):
        return _at(Reason.TRUNCATED, text, position)
    if text[position] != "<":
        return _at(Reason.STRAY_TEXT, text, position)
    start = _START.match(text, position)
    if start is None:
        cut = text.find(">", position) < 0
        return _at(Reason.TRUNCATED if cut else Reason.MALFORMED, text, len(text) if cut else position)
    end = text.find("<", start.end())
    if end < 0 or text.find(">", end) < 0:
        return _at(Reason.TRUNCATED, text, len(text))
    return _at(Reason.MISMATCHED if text.startswith("</", end) else Reason.STRAY_TEXT, text, end)
