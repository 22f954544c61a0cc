"""What comes from outside is read one way: XML by one parser without traps, nothing unpacked or unpickled, no pattern that explodes."""

import ast
import warnings
from collections.abc import Iterator
from typing import Any, Final

import pytest
from checkout import modules, text

from adapters.kit.soap import SoapError, parse_xml

PRODUCT: Final = ("adapters/", "hub/", "protos/metip/")
XML: Final = "adapters/kit/soap.py"
"""The one place that makes a parser, `parse_xml`."""
PARSERS: Final = frozenset(
    ("XMLParser", "XMLPullParser", "HTMLParser", "HTMLPullParser", "ETCompatXMLParser", "fromstring", "fromstringlist", "parse", "parseid",
     "iterparse", "XML", "XMLID", "HTML", "XSLT", "XInclude", "XMLSchema", "RelaxNG", "DTD", "Schematron")
)  # fmt: skip
FORBIDDEN: Final = frozenset(
    ("xml", "lxml.html", "lxml.objectify", "lxml.sax", "html5lib", "defusedxml", "zipfile", "tarfile", "gzip", "bz2", "lzma",
     "zstandard", "brotli", "pickle", "marshal", "shelve", "dill", "yaml")
)  # fmt: skip
ESCAPING: Final = "xml.sax.saxutils"
"""Writes and reads the five escapes of XML, and parses nothing."""
WRITING: Final = frozenset({"hub/cli/doctor/bundle.py: gzip", "hub/cli/doctor/bundle.py: tarfile"})
"""Modules that write such a file and open none."""
OPENING: Final = ("open(", "extract", "decompress")
"""What would open one; `tarfile.open` is told from it by its mode."""
LINEAR: Final = {
    "hub/cli/simulating.py": "each repetition begins with a colon, which the one inside can't hold; and it is an operator who types it",
}
CHECKSUMS_ONLY: Final = frozenset({"zlib"})
"""Of which only checksums may be taken."""
TRAPS: Final = {
    "entity": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "entity of a file": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
    "entity of a parameter": b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://localhost:1/x"> %b;]><a/>',
    "a billion laughs": b"<!DOCTYPE a [<!ENTITY a0 'ha'>"
    + b"".join(b"<!ENTITY a%d '%s'>" % (place, b"&a%d;" % (place - 1) * 10) for place in range(1, 10))
    + b"]><a>&a9;</a>",
    "quadratic": b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 50_000 + b'">]><a>' + b"&b;" * 5000 + b"</a>",
    "document type": b'<!DOCTYPE a SYSTEM "http://localhost:1/x.dtd"><a/>',
    "document type by name": b"<!DOCTYPE html><a/>",
    "nested without end": b"<a>" * 100_000 + b"</a>" * 100_000,
    "an attribute without end": b'<a b="' + b"x" * 20_000_000 + b'"/>',
    "another encoding": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
}


def product() -> list[str]:
    """Modules of the product."""
    return [path for path in modules() if path.startswith(PRODUCT) and "_pb2" not in path]


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
def test_a_document_with_a_trap_is_refused(trap: bytes) -> None:
    with pytest.raises(SoapError) as refused:
        parse_xml(trap)
    assert len(str(refused.value)) < 100


def test_an_xinclude_is_an_element_like_any_other() -> None:
    root = parse_xml(b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/hostname" parse="text"/></a>')
    assert [one.text for one in root] == [None]


def test_xml_is_parsed_in_one_place() -> None:
    found = {f"{path}: {name}" for path in product() for name in _uses_of_lxml(path)}
    assert found == {f"{XML}: XMLParser", f"{XML}: fromstring"}


def test_nothing_is_unpacked_unpickled_or_parsed_by_a_library_that_would_be_led_on() -> None:
    found = {f"{path}: {name}" for path in product() for name in _imports(path) if _forbidden(name)}
    assert found == WRITING


def test_whatever_writes_archives_opens_none() -> None:
    for path in {one.partition(": ")[0] for one in WRITING}:
        said = text(path).replace('tarfile.open(fileobj=zipped, mode="w"', "").replace("os.open(", "").replace("os.fdopen(", "")
        assert [word for word in OPENING if word in said] == []


def _forbidden(name: str) -> bool:
    return not name.startswith(ESCAPING) and (name in FORBIDDEN or name.partition(".")[0] in FORBIDDEN)


def test_of_zlib_only_checksums_are_used() -> None:
    found = {f"{path}: {name}" for path in product() for module, name in _names_imported(path) if module in CHECKSUMS_ONLY}
    assert {one.partition(": ")[2] for one in found} <= {"crc32", "adler32"}


def test_no_pattern_repeats_a_repetition_without_bound() -> None:
    """`(a+)+` takes time that doubles with each letter. What is put together at run time is not seen here."""
    found = [(path, pattern) for path in product() for pattern in _patterns(path) if explodes(pattern)]
    assert [path for path, _ in found] == sorted(LINEAR), found


@pytest.mark.parametrize(
    ("pattern", "bad"), [("(a+)+b", True), ("(a*)*", True), ("(?:x[0-9]+)*$", True), ("(a{1,9})+", False), ("[a-z]+,?", False)]
)
def test_a_pattern_that_explodes_would_be_found(pattern: str, bad: bool) -> None:
    assert explodes(pattern) is bad


def explodes(pattern: str) -> bool:
    """Whether an unbounded repetition is inside another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser: Any = __import__("re._parser", fromlist=["parse"])
    return any(True for _ in _nested(parser.parse(pattern), inside=False, most=parser.MAXREPEAT))


def _nested(tree: Any, *, inside: bool, most: Any) -> Iterator[None]:
    for kind, value in tree:
        repeated = str(kind) in ("MAX_REPEAT", "MIN_REPEAT") and value[1] is most
        if repeated and inside:
            yield None
        for part in value if isinstance(value, tuple | list) else ():
            parts = part if isinstance(part, list) else [part]
            for one in parts:
                if hasattr(one, "data"):
                    yield from _nested(one, inside=inside or repeated, most=most)


def _patterns(path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            of_re = node.func.value.id == "re" and node.args and isinstance(node.args[0], ast.Constant)
            if of_re and isinstance(node.args[0].value, str):  # type: ignore[attr-defined]  # a Constant, by the line above
                yield node.args[0].value  # type: ignore[attr-defined]  # the same


def _uses_of_lxml(path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "etree" and node.attr in PARSERS:
            yield node.attr
        if isinstance(node, ast.ImportFrom) and node.module == "lxml.etree":
            yield from (one.name for one in node.names if one.name in PARSERS)


def _imports(path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _names_imported(path: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, one.name) for one in node.names)
        if isinstance(node, ast.Import):
            yield from ((one.name, "*") for one in node.names)
