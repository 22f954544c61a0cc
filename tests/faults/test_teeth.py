"""Planted bugs are found: those that a fast check finds, here; all of them in `make faults`."""

import pytest
from exchange_rig import ROOT

from tests.faults import plants, teeth

FAST = [one for one in teeth.TEETH if one.finder in (teeth.SUITE, teeth.DISK)]


def test_every_planted_bug_has_somebody_who_must_find_it() -> None:
    assert {one.plant for one in teeth.TEETH} == set(plants.PLANTS)


def test_product_code_knows_nothing_of_planted_bugs() -> None:
    for path in [*(ROOT / "hub").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert plants.VARIABLE not in text, path
        assert "tests.faults" not in text, path


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("tooth", FAST, ids=[f"{one.plant}-{one.finder[-1].rpartition('/')[2]}" for one in FAST])
async def test_a_planted_bug_is_found(tooth: teeth.Tooth) -> None:
    bitten, words = await teeth.bite(tooth)
    assert bitten, words
