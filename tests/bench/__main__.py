"""`python -m tests.bench`: bare server, Envoy and full path in one run; prints the tables and writes docs/benchmarks.md."""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.bench.cores import leave_one_to_the_server
from tests.bench.estate import NotReadyError
from tests.bench.load import LoadError, has_h2load
from tests.bench.measuring import PARTS, QUICK, Effort, measure
from tests.bench.report import as_json, markdown

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
NO_H2LOAD = """
  h2load is not installed, so our own generator drives everything; it takes more of the processor than h2load, which flatters the
  full path. Install it and run again:

      apt-get install nghttp2-client        (Debian, Ubuntu)
      dnf install nghttp2                   (Fedora)
"""


def main() -> int:
    """Reads the arguments, measures, and returns the exit code: 1 when a call was not OK."""
    arguments = _parser().parse_args()
    if not has_h2load():
        print(NO_H2LOAD, file=sys.stderr)  # noqa: T201 - a command's output
    leave_one_to_the_server()
    started = time.monotonic()

    def told(words: str) -> None:
        if not arguments.quiet:
            print(f"{time.monotonic() - started:6.1f} s  {words}", file=sys.stderr, flush=True)  # noqa: T201

    try:
        found = asyncio.run(measure(_effort(arguments), told, own_generator=arguments.own_generator))
    except (NotReadyError, LoadError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    page = markdown(found)
    print(json.dumps(as_json(found), indent=1) if arguments.json else page)  # noqa: T201
    where = arguments.output or (None if arguments.quick or arguments.only else PAGE)
    if where is not None:
        where.write_text(page, encoding="utf-8")
        told(f"written to {where}")
    return 0 if found.not_ok == 0 else 1


def _effort(arguments: argparse.Namespace) -> Effort:
    effort = QUICK if arguments.quick else Effort()
    parts, records = arguments.only or effort.parts, arguments.ledger_records or effort.ledger_records
    return replace(effort, parts=tuple(parts), ledger_records=records)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog="make bench BENCH_ARGS='--only journal'   or   make bench BENCH_ARGS='--only ledger --ledger-records 5000000'",
    )
    only = "measure this part alone, or these where it is given several times; writes no page unless --output says where"
    parser.add_argument("--only", action="append", choices=PARTS, help=only)
    parser.add_argument("--quick", action="store_true", help="tiny durations, under a minute; writes no page unless --output says where")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--output", type=Path, help="write the page there instead of docs/benchmarks.md")
    parser.add_argument(
        "--own-generator", action="store_true", help="drive everything with our own generator, even where h2load is installed"
    )
    parser.add_argument("--ledger-records", type=int, help="how many records the ledger has that is searched")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


if __name__ == "__main__":
    sys.exit(main())
