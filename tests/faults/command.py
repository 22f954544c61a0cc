"""The command line of a fault run."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

from tests.faults.report import as_json, words
from tests.faults.running import PARTS, Wanted, measure


def main(said: Sequence[str]) -> int:
    """Reads the arguments, runs the parts, and returns the exit code."""
    arguments = _parser().parse_args(said)
    began = time.monotonic()

    def told(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {text}", file=sys.stderr, flush=True)  # noqa: T201 - a command's output

    seed = arguments.seed if arguments.seed is not None else time.time_ns() % 1_000_000
    print(f"seed {seed}", file=sys.stderr)  # noqa: T201
    wanted = Wanted(seed, arguments.quick, arguments.kills, arguments.seconds, arguments.cuts)
    found = asyncio.run(measure(arguments.only or list(PARTS), wanted, told))
    print(json.dumps(as_json(seed, found), indent=1) if arguments.json else words(seed, found))  # noqa: T201
    return 0 if all(one.holds for findings in found.values() for one in findings) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Faults against the exchange; prints the invariants by number, and exits with 1 when one is broken.",
    )
    parser.add_argument("--kills", type=int, help="how many processes are killed; 200, or 12 with --quick")
    parser.add_argument("--seconds", type=float, help="how long the kill run hurts, about")
    parser.add_argument("--cuts", type=int, help="how many power cuts; 60, or 3 with --quick")
    parser.add_argument("--seed", type=int, help="repeats a run; without it, another one each time")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--quick", action="store_true", help="the short form of each part, as the tests run it")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part; may be given again")
    return parser
