"""A table of fields, read in both directions."""

from types import SimpleNamespace

import pytest

from adapters.kit.fields import Kind, Table, tables

TABLE = Table(
    "name:title size:box.size depth:box.inner.depth words:words:list number:number:halves", halves=Kind(lambda n: n / 2, lambda n: n * 2)
)


def test_a_message_becomes_a_record_and_the_record_its_fields() -> None:
    message = {"name": "a", "size": 3, "depth": 4, "words": ("x", "y"), "number": 8}
    record = TABLE.record(SimpleNamespace(**message))
    assert record == {"title": "a", "box": {"size": 3, "inner": {"depth": 4}}, "words": ["x", "y"], "number": 4}
    assert TABLE.fields(record) == message


def test_an_object_in_which_nothing_is_set_is_not_there() -> None:
    record = TABLE.record(SimpleNamespace(name="", size=0, depth=0, words=(), number=0))
    assert record == {"title": "", "words": [], "number": 0}


def test_what_a_record_does_not_have_is_left_out() -> None:
    assert TABLE.fields({"box": {"size": 1}}) == {"size": 1}


def test_a_kind_that_is_not_given_is_a_mistake_of_the_table() -> None:
    with pytest.raises(KeyError):
        Table("a:b:nothing")


def test_tables_are_written_as_text() -> None:
    found = tables("One  a:x b:y\n     c:z\nTwo  d:w")
    assert {name: one.fields({"x": 1, "z": 2, "w": 3}) for name, one in found.items()} == {"One": {"a": 1, "c": 2}, "Two": {"d": 3}}
