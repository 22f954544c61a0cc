"""Power cuts in their short form, and that they have teeth."""

import pytest

from tests.faults import power, teeth

SEED = 20_262
CUTS = 3


def _needs_a_loop_device() -> None:
    if missing := power.why_not():
        pytest.skip(f"NO POWER CAN BE CUT HERE: {missing}")


@pytest.mark.asyncio(loop_scope="function")
async def test_what_was_acknowledged_before_a_power_cut_is_found_after_it() -> None:
    _needs_a_loop_device()
    found = await power.cut(CUTS, SEED, lambda _words: None)
    assert found.copied + found.stopped == CUTS
    assert found.promised > 0
    assert [one for one in power.findings(found, SEED) if not one.holds] == []


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("plant", ["synchronous-normal", "cursor-before-rows", "recorded-after-the-reply"])
async def test_a_power_cut_finds_a_planted_bug(plant: str) -> None:
    _needs_a_loop_device()
    bitten, words = await teeth.bite(teeth.Tooth(plant, teeth.POWER))
    assert bitten, words
