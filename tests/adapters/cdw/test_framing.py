"""Frames of PostgreSQL's protocol: all that are some pass, however they are cut, and nonsense never reaches the driver."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cdw.framing import LARGEST_MESSAGE, Framing
from adapters.kit.simulation.transport import NONSENSE


def message(kind: bytes, body: bytes) -> bytes:
    """One message of the server."""
    return kind + struct.pack(">i", len(body) + 4) + body


MESSAGES = st.lists(st.tuples(st.sampled_from([b"R", b"S", b"K", b"Z", b"T", b"D", b"C", b"E", b"1", b"2"]), st.binary(max_size=40)))


@given(MESSAGES, st.lists(st.integers(0, 400), max_size=12))
def test_messages_pass_however_they_are_cut(parts: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(message(kind, body) for kind, body in parts)
    framing = Framing()
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert all(framing.fits(stream[start:end]) for start, end in pairwise(places))


@pytest.mark.parametrize(
    "wrong",
    [NONSENSE, b"D" + struct.pack(">i", 3), b"D" + struct.pack(">i", -1), b"D" + struct.pack(">i", LARGEST_MESSAGE + 1), b"\0", b"\xff\0"],
    ids=["nonsense", "too-short", "negative", "too-long", "no-kind", "no-letter"],
)
@given(MESSAGES)
def test_what_is_no_message_does_not_pass(wrong: bytes, parts: list[tuple[bytes, bytes]]) -> None:
    stream = b"".join(message(kind, body) for kind, body in parts)
    assert not Framing().fits(stream + wrong)


@given(st.binary(max_size=60))
def test_any_bytes_are_judged_and_never_wait_for_more_than_a_message_may_have(data: bytes) -> None:
    assert Framing().fits(data) in (True, False)
