"""Messages in a stream: whatever the pieces, whole messages come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.framing import LARGEST, PREFIX, Broken, Deframer, FrameError, frame


def drained(deframer: Deframer) -> list[bytes]:
    return list(iter(deframer.take, None))


@given(st.lists(st.binary(min_size=1, max_size=60)), st.lists(st.integers(1, 40), min_size=1))
def test_messages_survive_any_cutting_of_the_stream(messages: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(map(frame, messages))
    deframer = Deframer()
    came: list[bytes] = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)]
        turn += 1
        deframer.feed(stream[:size])
        stream = stream[size:]
        came += drained(deframer)
    assert came == messages
    deframer.end()


def test_the_length_leads_in_network_order() -> None:
    assert frame(b"x" * 258) == b"\x00\x00\x01\x02" + b"x" * 258


def test_a_stream_that_ends_inside_a_message_is_told() -> None:
    deframer = Deframer()
    deframer.feed(frame(b"whole") + frame(b"half")[:-1])
    assert drained(deframer) == [b"whole"]
    with pytest.raises(FrameError) as told:
        deframer.end()
    assert told.value.broken is Broken.CUT_SHORT


def test_a_frame_over_the_limit_is_refused_before_its_content_arrives() -> None:
    deframer = Deframer(limit=8)
    deframer.feed(frame(b"12345678") + (9).to_bytes(PREFIX))
    assert deframer.take() == b"12345678"
    for _ in range(2):  # and stays refused: nobody knows where the next message begins
        with pytest.raises(FrameError) as told:
            deframer.take()
        assert told.value.broken is Broken.TOO_LARGE


def test_an_empty_frame_is_refused_on_both_sides() -> None:
    deframer = Deframer()
    deframer.feed(bytes(PREFIX))
    with pytest.raises(FrameError) as told:
        deframer.take()
    assert told.value.broken is Broken.EMPTY
    with pytest.raises(FrameError):
        frame(b"")


def test_a_message_over_the_limit_is_not_framed() -> None:
    assert len(frame(bytes(LARGEST))) == PREFIX + LARGEST
    with pytest.raises(FrameError) as told:
        frame(bytes(LARGEST + 1))
    assert told.value.broken is Broken.TOO_LARGE
