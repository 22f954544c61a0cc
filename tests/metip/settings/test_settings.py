"""Settings: every problem at once, nothing guessed, and no text that brings the process down."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from metip.adapter.v1.settings_pb2 import Serving, Upstream
from metip.cases.v1.case_pb2 import Case
from metip.hub.v1.settings_pb2 import AccessPolicy, Settings
from metip.settings import SettingsError, parse_settings, read_settings

SOURCE = "example.yaml"


def problems(text: str, kind: type[Message] = Upstream) -> list[str]:
    """What is wrong with a text; an error when nothing is."""
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, kind, source=SOURCE)
    assert str(caught.value) == "\n".join(f"{SOURCE}: {problem}" for problem in caught.value.problems)
    return list(caught.value.problems)


# What is right.


def test_settings_are_read_into_their_message() -> None:
    text = """
      address: "far.example:4711"   # a comment
      sessions: 3
      timeout: 1.5s
    """
    timeout = Duration(seconds=1, nanos=500_000_000)
    assert parse_settings(text, Upstream, source=SOURCE) == Upstream(address="far.example:4711", sessions=3, timeout=timeout)


@pytest.mark.parametrize("key", ["max_in_flight", "maxInFlight"])
def test_a_key_may_be_written_as_the_contract_or_as_json_has_it(key: str) -> None:
    assert parse_settings(f"{key}: 7", Serving, source=SOURCE).max_in_flight == 7


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}", "workers:", "workers: null"], ids=repr)
def test_nothing_is_no_problem_where_nothing_is_needed(text: str) -> None:
    assert parse_settings(text, Serving, source=SOURCE) == Serving()


def test_lists_of_messages_are_read() -> None:
    text = """
      grants:
        - consumer: spiffe://metip.local/consumer/one
          operations: ["*"]
        - {consumer: spiffe://metip.local/consumer/two, operations: [metip.sample.v1/*]}
    """
    policy = parse_settings(text, AccessPolicy, source=SOURCE)
    assert [(grant.consumer, list(grant.operations)) for grant in policy.grants] == [
        ("spiffe://metip.local/consumer/one", ["*"]),
        ("spiffe://metip.local/consumer/two", ["metip.sample.v1/*"]),
    ]


# YAML 1.1 would read each of these as something else: false, an octal, minutes, a number.
NORWAY = ["no", "NO", "off", "yes", "on", "y", "n", "12:30:45", "1_000x", "0o17x", "~/here"]


@pytest.mark.parametrize("text", NORWAY)
def test_a_word_stays_a_word(text: str) -> None:
    assert parse_settings(f"address: {text}", Upstream, source=SOURCE).address == text


# What is wrong: the text, and what is said about it.
WRONG: dict[str, tuple[str, list[str]]] = {
    "unknown-key": (
        "address: a\nsesions: 3",
        ["sesions: no such setting; there are address, sessions, timeout, failures_to_open, open_for, max_waiting"],
    ),
    "key-in-other-letters": (
        "Address: a\naddress: b",
        ["Address: no such setting; there are address, sessions, timeout, failures_to_open, open_for, max_waiting"],
    ),
    "duplicate-key": ("address: a\naddress: b", ['line 2: found duplicate key "address" with value "b" (original value: "a")']),
    "both-names-of-a-key": ("address: a\nmax_waiting: 1\nmaxWaiting: 2", ["maxWaiting: is set twice, by both of its names"]),
    "norway-as-a-number": ("address: a\nsessions: no", ["sessions: invalid literal for int() with base 10: 'no'"]),
    "text-for-a-number": ("address: a\nsessions: many", ["sessions: invalid literal for int() with base 10: 'many'"]),
    "number-for-text": ("address: 4711", ["address: expected string or bytes-like object, got 'int'"]),
    "leading-zero": ("address: 0123", ["address: expected string or bytes-like object, got 'int'"]),
    "date-for-text": ("address: 2026-11-23", ["address: expected string or bytes-like object, got 'datetime.date'"]),
    "list-for-text": ("address: [a]", ["address: expected string or bytes-like object, got 'list'"]),
    "truth-for-a-number": ("address: a\nsessions: true", ["sessions: Bool value True is not acceptable for integer field"]),
    "fraction-for-a-number": ("address: a\nsessions: 1.5", ["sessions: Couldn't parse integer: 1.5"]),
    "below-zero": ("address: a\nsessions: -1", ["sessions: Value out of range: -1"]),
    "number-for-a-duration": ("address: a\ntimeout: 8", ["timeout: Duration JSON value not a string: 8"]),
    "duration-without-unit": ("address: a\ntimeout: '8'", ['timeout: Duration must end with letter "s": 8']),
    "list-for-a-mapping": ("- address: a", ["must be a mapping of settings"]),
    "false": ("false", ["must be a mapping of settings"]),
    "zero": ("0", ["must be a mapping of settings"]),
    "empty-list": ("[]", ["must be a mapping of settings"]),
    "two-documents": ("address: a\n---\naddress: b", ["line 2: but found another document"]),
    "foreign-object": (
        "address: !!python/object:os.system {}",
        ["line 1: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object:os.system'"],
    ),
    "control-character": ("address: \x00", ["is not YAML: unacceptable character #x0000: special characters are not allowed"]),
    "day-that-is-none": ("address: 2026-02-30", ["is not YAML: day is out of range for month"]),
    "broken-rule": ("address: ''", ["address: must be at least 1 characters"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    text, said = WRONG[case]
    assert problems(text) == said


def test_every_problem_is_reported_at_once() -> None:
    text = """
      trust_domain: "UPPER CASE"
      socket: 5
      state: state
      acess: access.yaml
      edge:
        port: 99999
        json_port: eight
        adress: 127.0.0.1
        certificate: [a]
        key: key.pem
        authority: ca.pem
        token_keys: jwks.json
        token_issuer: issuer
    """
    found = problems(text, Settings)
    assert [problem.split(":")[0] for problem in found] == [
        "socket",
        "acess",
        "edge.json_port",
        "edge.adress",
        "edge.certificate",
        "trust_domain",
        "edge.port",
        "edge.token_audience",
        "access",
    ]


def test_what_could_not_be_read_is_not_called_missing_too() -> None:
    assert problems("edge: 5\ntrust_domain: a\nsocket: a\nstate: a\naccess: a", Settings) == ["edge: must be a mapping"]


def test_problems_in_a_list_name_the_item() -> None:
    text = """
      grants:
        - consumer: spiffe://metip.local/consumer/one
          operations: ["*"]
        - not a grant
        - consumer: nobody
          operations: [no, 7]
          operation: "*"
    """
    found = problems(text, AccessPolicy)
    assert [problem.partition(": ")[0] for problem in found] == [
        "grants[1]",
        "grants[2].operations",
        "grants[2].operation",
        "grants[2].consumer",
    ]


def test_a_mapping_in_place_of_a_list_is_told() -> None:
    assert problems("grants: {consumer: a}", AccessPolicy) == ["grants: must be a list"]


def test_two_of_which_one_may_be_set_are_refused() -> None:
    assert problems("refused: {status: NOT_FOUND}\nanswered: {}", Case) == ["answered: can't be set beside refused"]


def test_a_file_is_read_and_named_in_its_problems(tmp_path: Path) -> None:
    file = tmp_path / "upstream.yaml"
    file.write_text("address: far.example:1\n", encoding="utf-8")
    assert read_settings(file, Upstream).address == "far.example:1"
    file.write_text("adress: far.example:1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"upstream\.yaml: adress: no such setting"):
        read_settings(file, Upstream)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file or directory"),
        ("folder", "can't be read: Is a directory"),
        (b"address: \xff", "is not UTF-8 text"),
    ],
    ids=["missing", "folder", "binary"],
)
def test_a_file_that_can_not_be_read_is_a_problem_like_any_other(tmp_path: Path, content: Any, problem: str) -> None:
    file = tmp_path / "x.yaml"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_settings(file, Upstream)
    assert caught.value.problems == (problem,)


# Whatever is written, the answer is a message or a list of problems.

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.datetimes() | st.binary(max_size=3)
KEYS = st.sampled_from(["grants", "consumer", "operations", "edge", "port", "socket", "timeout", "address", "answered", "replies"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | LEAVES.filter(lambda key: key == key), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(tree=TREES, kind=st.sampled_from([Upstream, AccessPolicy, Settings, Case]))
def test_any_tree_is_read_or_refused(tree: Any, kind: type[Message]) -> None:
    written = StringIO()
    YAML(typ="safe", pure=True).dump(tree, written)
    _read_or_refused(written.getvalue(), kind)


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=30) | st.text("{}[]:,-&*!|>%@`\"'# \n\tab0?", max_size=30))
@example("{" * 400)
@example("&a {grants: *a}")
@example("? {a: b}\n: c")
@example("<<: 5")
@example("grants: !!set {a}")
@example("address: !!int x")
@example("address: !!timestamp x")
def test_any_text_is_read_or_refused(text: str) -> None:
    _read_or_refused(text, AccessPolicy)
    _read_or_refused(text, Upstream)


def _read_or_refused(text: str, kind: type[Message]) -> None:
    try:
        found = parse_settings(text, kind, source=SOURCE)
    except SettingsError as error:
        refused = error.problems
    else:
        assert isinstance(found, kind)
        return
    assert refused
    assert all("\n" not in problem for problem in refused)
