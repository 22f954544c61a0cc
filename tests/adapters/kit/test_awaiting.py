"""Answers by another way: each reaches whoever waits for it, and nobody else."""

import pytest

from adapters.kit.awaiting import Awaiting

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_answer_reaches_whoever_waits_for_it() -> None:
    waiting: Awaiting[str, int] = Awaiting()
    with waiting.expecting(["a", "b"]) as expected:
        assert waiting.heard("a", 1)
        assert (expected["a"].result(), expected["b"].done()) == (1, False)


async def test_several_may_wait_for_the_same() -> None:
    waiting: Awaiting[str, int] = Awaiting()
    with waiting.expecting(["a"]) as first, waiting.expecting(["a"]) as second:
        assert waiting.heard("a", 1)
        assert first["a"].result() == second["a"].result() == 1


async def test_the_first_answer_counts() -> None:
    waiting: Awaiting[str, int] = Awaiting()
    with waiting.expecting(["a"]) as expected:
        assert waiting.heard("a", 1)
        assert not waiting.heard("a", 2)
        assert expected["a"].result() == 1


async def test_an_answer_that_nobody_waits_for_is_told_so() -> None:
    waiting: Awaiting[str, int] = Awaiting()
    with waiting.expecting(["a"]):
        assert not waiting.heard("b", 1)
    assert not waiting.heard("a", 1)


async def test_who_still_waits_is_heard_when_another_has_given_up() -> None:
    waiting: Awaiting[str, int] = Awaiting()
    with waiting.expecting(["a"]) as patient:
        with waiting.expecting(["a"]):
            pass
        assert waiting.heard("a", 1)
        assert patient["a"].result() == 1
