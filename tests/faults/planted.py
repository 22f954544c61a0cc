"""Starts something with a planted bug, or with a clock that is put back; see `plants`. Keys are filed soon.

`python -m tests.faults.planted --settings …` is the hub, `… planted pytest …` a test run, `… planted faults …` a fault run.
"""

import os
import sys
import time

import filing

from hub.exchange.clock import SteadyClock
from tests.faults import plants

CLOCK = "METIP_FAULTS_CLOCK"
"""A Unix time from which on the wall clock of the exchange is an hour behind."""
BACK = 3600.0


def put_back(moment: float) -> None:
    """Puts the exchange's wall clock back at that moment."""

    def wall() -> float:
        now = time.time()
        return now - BACK if now >= moment else now

    defaults = SteadyClock.__init__.__kwdefaults__
    assert defaults is not None
    defaults["wall"] = wall


def main() -> int:
    """Plants, then runs what was asked for."""
    plants.grow()
    filing.soon(200)
    if CLOCK in os.environ:
        put_back(float(os.environ[CLOCK]))
    if sys.argv[1:2] == ["pytest"]:
        import pytest

        return int(pytest.main(sys.argv[2:]))
    if sys.argv[1:2] == ["faults"]:
        from tests.faults.command import main as faults

        return faults(sys.argv[2:])
    import hub.__main__

    return hub.__main__.main()


if __name__ == "__main__":
    sys.exit(main())
