"""Changes that know what a document is made of: elements of XML, values of JSON, fields of rows. What is none of these stays as it is."""

import copy
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

from tests.fuzz.values import ALL, HUGE

ENCODINGS = (b"UTF-16", b"latin-1", b"x", b"UTF-7", b"ASCII")
SPELLINGS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"9" * 5000, b'"\\ud800"', b'"\\u0000"', b"1.0", b"1E2", b"01")
DEPTHS = (2, 30, 130, 260, 1200, 6000)
SEPARATORS = (",", "|", "\t", ";", "^", "/", " ")
CARRIED = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ATTACKS = (
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>',
    b'<!DOCTYPE a SYSTEM "file:///etc/hostname">',
    b'<?xml-stylesheet href="a"?>',
    b"<!-- comment -->",
    b"<![CDATA[x]]>",
    b"&undefined;",
    b"&#x0;",
)


def changed(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """The document with one change, as its kind has them."""
    start = data.lstrip()[:1]
    if start == b"<":
        return _xml(chance, data, seeds)
    if start in (b"{", b"["):
        return _json(chance, data, seeds)
    return _rows(chance, data, seeds)


def _value(chance: random.Random) -> str:
    return chance.choice(HUGE) if chance.random() < 0.01 else chance.choice(ALL)


# XML


def _parsed(data: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _xml(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if chance.random() < 0.1:
        return _spelling(chance, data)
    root = _parsed(data)
    if root is None:
        return data
    elements = [one for one in root.iter() if isinstance(one.tag, str)]
    if not elements:
        return data
    other = _parsed(chance.choice(seeds)) if chance.random() < 0.3 else root
    others = [one for one in (root if other is None else other).iter() if isinstance(one.tag, str)] or elements
    try:
        chance.choice(XML_CHANGES)(chance, chance.choice(elements), chance.choice(others))
        encoding = root.getroottree().docinfo.encoding or "UTF-8"
        return etree.tostring(root.getroottree(), xml_declaration=chance.random() < 0.9, encoding=encoding)
    except (ValueError, LookupError, AssertionError, TypeError):  # what XML itself can't hold
        return data


def _spelling(chance: random.Random, data: bytes) -> bytes:
    """What no tree holds: document types, entities, sections, another declaration, the same attribute twice."""
    kind = chance.randrange(4)
    if kind == 0:
        return re.sub(rb"encoding=.[A-Za-z0-9-]+.", b"encoding='%s'" % chance.choice(ENCODINGS), data)
    if kind == 1:
        at = data.find(b">") + 1
        return data[:at] + chance.choice(ATTACKS) + data[at:]
    if kind == 2:
        depth = chance.choice(DEPTHS)
        places = [found.end() for found in re.finditer(b">", data)] or [0]
        at = chance.choice(places)
        return data[:at] + b"<a>" * depth + b"</a>" * depth + data[at:]
    found = re.findall(rb' [A-Za-z]+="[^"]*"', data)
    return data.replace(chance.choice(found), chance.choice(found) * 2, 1) if found else data


def _put_text(chance: random.Random, one: Any, other: Any) -> None:
    if one.attrib and chance.random() < 0.6:
        one.set(chance.choice(list(one.attrib)), CARRIED.sub("", _value(chance)))
    else:
        one.text = CARRIED.sub("", _value(chance))


def _take_text(chance: random.Random, one: Any, other: Any) -> None:
    said = [*other.attrib.values(), other.text or ""]
    if one.attrib and chance.random() < 0.6:
        one.set(chance.choice(list(one.attrib)), chance.choice(said))
    else:
        one.text = chance.choice(said)


def _leaf(chance: random.Random, one: Any, other: Any) -> None:
    """Text of a leaf, since most elements hold no text of their own."""
    leaves = [leaf for leaf in one.getroottree().iter() if isinstance(leaf.tag, str) and len(leaf) == 0]
    _put_text(chance, chance.choice(leaves), other)


def _drop(chance: random.Random, one: Any, other: Any) -> None:
    if one.attrib and chance.random() < 0.5:
        del one.attrib[chance.choice(list(one.attrib))]
    elif one.getparent() is not None:
        one.getparent().remove(one)


def _repeat(chance: random.Random, one: Any, other: Any) -> None:
    for _ in range(chance.choice((1, 1, 2, 40)) if len(one) < 20 else 1):
        one.addnext(copy.deepcopy(one))


def _nest(chance: random.Random, one: Any, other: Any) -> None:
    one.append(copy.deepcopy(other))


def _rename(chance: random.Random, one: Any, other: Any) -> None:
    one.tag = chance.choice((other.tag, etree.QName(one).localname, f"{{urn:other}}{etree.QName(one).localname}", "Other"))


def _move(chance: random.Random, one: Any, other: Any) -> None:
    if one.getparent() is not None:
        one.addprevious(copy.deepcopy(other))


def _attribute(chance: random.Random, one: Any, other: Any) -> None:
    name = chance.choice((*other.attrib, "x", "{http://www.w3.org/2001/XMLSchema-instance}nil", "href", "encoding"))
    one.set(name, CARRIED.sub("", _value(chance)))


def _empty(chance: random.Random, one: Any, other: Any) -> None:
    for child in list(one):
        one.remove(child)
    one.text = None


XML_CHANGES: Sequence[Callable[[random.Random, Any, Any], None]] = (
    *(_put_text, _put_text, _leaf, _leaf, _leaf, _take_text, _take_text, _drop, _drop, _repeat, _nest, _rename, _move, _attribute, _empty),
)


# JSON


def _json(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if chance.random() < 0.1:
        return _json_spelling(chance, data)
    try:
        tree = json.loads(data)
        other = json.loads(chance.choice(seeds)) if chance.random() < 0.3 else tree
    except (ValueError, RecursionError):
        return data
    places = _places(tree)
    if not places:
        return data
    holder, key = chance.choice(places)
    others = _places(other) or places
    elsewhere, name = chance.choice(others)
    kind = chance.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder[key:key] = [copy.deepcopy(holder[key])] * chance.choice((1, 2, 40))
    elif kind == 2 and isinstance(holder, dict):
        holder[name if isinstance(name, str) else "other"] = copy.deepcopy(holder[key])
    elif kind == 3:
        holder[key] = copy.deepcopy(elsewhere[name])
    elif kind == 4:
        held = holder[key]
        for _ in range(chance.choice((1, 2, 200))):
            held = [held] if chance.random() < 0.5 else {str(key): held}
        holder[key] = held
    elif kind == 5:
        holder[key] = chance.choice((None, True, False, 0, -1, 1.5, 2**31, 2**53, 2**63, -(2**63), 1e308, [], {}, "", [None], {"": None}))
    else:
        holder[key] = _value(chance)
    try:
        return json.dumps(tree, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    except RecursionError:
        return data


def _json_spelling(chance: random.Random, data: bytes) -> bytes:
    """What no tree holds: numbers that are none, names twice, halves of characters, depth."""
    kind = chance.randrange(3)
    if kind == 0:
        numbers = list(re.finditer(rb"(?<=[:,\[])\s*(?:-?[0-9.]+|true|false|null|\"[^\"]*\")", data))
        if not numbers:
            return data
        one = chance.choice(numbers)
        return data[: one.start()] + chance.choice(SPELLINGS) + data[one.end() :]
    if kind == 1:
        depth = chance.choice((*DEPTHS, 100_000))
        at = chance.choice([found.end() for found in re.finditer(b"[:,\\[]", data)] or [0])
        return data[:at] + b"[" * depth + b"]" * depth + b"," + data[at:]
    found = re.findall(rb'"[A-Za-z0-9_-]+"\s*:\s*(?:"[^"]*"|[0-9]+)', data)
    return data.replace(chance.choice(found), chance.choice(found) + b"," + chance.choice(found), 1) if found else data


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every value's holder and its key or index."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting and len(found) < 3000:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            waiting.append(one[key])
    return found


# Rows of fields, CSV among them


def _rows(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    end = "\r\n" if "\r\n" in text else "\n" if "\n" in text else "\r"
    rows = text.split(end)
    at = chance.randrange(len(rows))
    kind = chance.randrange(9)
    if kind == 0:
        del rows[at]
    elif kind == 1:
        rows[at:at] = [rows[at]] * chance.choice((1, 2, 40))
    elif kind == 2:
        to = chance.randrange(len(rows))
        rows[at], rows[to] = rows[to], rows[at]
    elif kind == 3:
        others = chance.choice(seeds).decode("utf-8", "surrogateescape").split(end)
        rows[at] = chance.choice(others)
    else:
        rows[at] = _row(chance, rows[at], rows)
    return end.join(rows).encode("utf-8", "surrogateescape" if chance.random() < 0.9 else "replace")


def _row(chance: random.Random, row: str, rows: Sequence[str]) -> str:
    """The row with one field changed, as the separator that it has most of parts them."""
    separator = max(SEPARATORS, key=row.count)
    fields = row.split(separator)
    at = chance.randrange(len(fields))
    kind = chance.randrange(8)
    if kind == 0:
        del fields[at]
    elif kind == 1:
        fields.insert(at, fields[at])
    elif kind == 2:
        to = chance.randrange(len(fields))
        fields[at], fields[to] = fields[to], fields[at]
    elif kind == 3:
        fields[at] = chance.choice(('"', '"a', 'a"b', '""', f'"{fields[at]}"', f'"{separator}"', '"\r\n"', f" {fields[at]} "))
    elif kind == 4:
        fields[at] = chance.choice(chance.choice(rows).split(separator))
    else:
        fields[at] = _value(chance).encode("utf-8", "replace").decode()
    return separator.join(fields)


CHANGES = (changed,)
