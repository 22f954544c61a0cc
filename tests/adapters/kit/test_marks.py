"""What a platform has executed and must not take any more: on disk before anything is done."""

from pathlib import Path

import pytest

from adapters.kit.marks import Bar, Handed, Marks
from metip.faults import Fault, Reason
from metip.tokens import Token

POST = "new:metip.example.v1.ExampleMessageService/PublishExample"
KEY, OTHER = "aa" * 16, "bb" * 16


def handed(message: str = "m1", attempt: int = 1, number: int = 5, digest: str = KEY, owner: str = "new") -> Handed:
    """One attempt that is handed to the new platform."""
    return Handed("new", POST, message, attempt, Token(owner, number, digest))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file."""
    return tmp_path / "marks.sqlite"


def refused(marks: Marks, one: Handed) -> Reason:
    with pytest.raises(Fault) as caught:
        marks.begin(one)
    return caught.value.reason


def test_a_message_that_is_done_is_answered_and_not_executed_again_even_by_a_process_that_came_later(path: Path) -> None:
    marks = Marks(path)
    assert marks.begin(handed()) is None
    marks.end("m1", b"receipt")
    marks.close()
    assert Marks(path).begin(handed(attempt=7)) == b"receipt"


def test_what_is_another_platforms_is_refused(path: Path) -> None:
    assert refused(Marks(path), handed(owner="old")) is Reason.FENCED


def test_a_token_lower_than_one_that_was_seen_for_its_key_is_refused(path: Path) -> None:
    marks = Marks(path)
    marks.begin(handed("m2", number=6))
    assert refused(marks, handed("m1", number=5)) is Reason.FENCED
    assert marks.begin(handed("m3", number=5, digest=OTHER)) is None
    marks.close()
    assert refused(Marks(path), handed("m1", number=5)) is Reason.FENCED


@pytest.mark.parametrize("digest", ["", KEY], ids=["all keys", "the key"])
def test_a_fence_keeps_out_what_is_below_it(path: Path, digest: str) -> None:
    marks = Marks(path)
    marks.bar([Bar(POST, digest, 9)])
    marks.close()
    marks = Marks(path)
    assert refused(marks, handed(number=8)) is Reason.FENCED
    assert marks.begin(handed(number=9)) is None
    assert (
        (refused(marks, handed("m2", digest="", number=8)) is Reason.FENCED)
        if not digest
        else marks.begin(handed("m2", digest=OTHER)) is None
    )


def test_a_fence_never_falls(path: Path) -> None:
    marks = Marks(path)
    marks.bar([Bar(POST, KEY, 9), Bar(POST, KEY, 4), Bar(POST, "", 3)])
    assert refused(marks, handed(number=8)) is Reason.FENCED


def test_an_attempt_that_was_begun_is_not_begun_again_and_one_that_was_overtaken_is_not_either(path: Path) -> None:
    marks = Marks(path)
    marks.begin(handed(attempt=2))
    marks.leave("m1")
    for attempt in (1, 2):
        assert refused(marks, handed(attempt=attempt)) is Reason.IN_DOUBT
    assert marks.begin(handed(attempt=3)) is None


def test_a_later_attempt_waits_until_the_earlier_one_is_not_being_executed_any_more(path: Path) -> None:
    marks = Marks(path, 0)
    marks.begin(handed())
    assert refused(Marks(path, 1), handed(attempt=2)) is Reason.IN_DOUBT  # another worker sees it too
    assert Marks(path, 0).begin(handed(attempt=2)) is None  # the process that ran it has ended


def test_old_marks_are_forgotten_and_fences_are_not(path: Path) -> None:
    marks = Marks(path)
    marks.begin(handed(), now=100.0)
    marks.forget(200.0)
    assert marks.begin(handed()) is None
    assert refused(marks, handed("m2", number=4)) is Reason.FENCED
