"""The measurement of one operator's look works; what it costs is not for a test on a busy machine to say."""

import asyncio

from tests.bench.console import RATE, measure_console

INTERFACES = 20


def test_a_quick_run_measures_both_ways() -> None:
    found = asyncio.run(measure_console(1.0, lambda _: None, interfaces=INTERFACES, settles=4.0, at_rest=None))
    assert (found.interfaces, found.rate) == (INTERFACES, RATE)
    assert found.edges > INTERFACES, "each is called and answered"
    assert found.unwatched > 0
    assert found.watched > 0
    assert found.grown < 100
