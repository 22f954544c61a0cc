"""Starts something with a planted bug: `python -m tests.faults.planted` is the hub, `... planted pytest …` is a test run; see `plants`."""

import sys

from tests.faults import plants


def main() -> int:
    """Plants, then runs what was asked for."""
    plants.grow()
    if sys.argv[1:2] == ["pytest"]:
        import pytest

        return int(pytest.main(sys.argv[2:]))
    import hub.__main__

    return hub.__main__.main()


if __name__ == "__main__":
    sys.exit(main())
