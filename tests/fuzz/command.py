"""The command line of a fuzz run."""

import argparse
import asyncio
import base64
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.fuzz.corpora import corpus, systems
from tests.fuzz.edge import fuzz
from tests.fuzz.report import as_json, words
from tests.fuzz.running import run
from tests.fuzz.trying import ROOT, attempt, be_interrupted
from tests.fuzz.working import bound_memory

FOLDER = ROOT / ".metip" / "fuzz"
HOUR = 3600.0


def main(said: Sequence[str]) -> int:
    """Reads the arguments, runs, and returns the exit code."""
    arguments = _parser().parse_args(said)
    if arguments.repeat:
        return repeat(arguments.repeat)
    began = time.monotonic()

    def told(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {text}", file=sys.stderr, flush=True)  # noqa: T201 - a command's output

    seed = arguments.seed if arguments.seed is not None else time.time_ns() % 1_000_000
    print(f"seed {seed}", file=sys.stderr, flush=True)  # noqa: T201
    if arguments.edge:
        tried = asyncio.run(fuzz(arguments.seconds, seed))
        told(", ".join(f"{kind}: {count} attempts" for kind, count in tried.attempts.items()))
        print(json.dumps(asdict(tried), indent=1) if arguments.json else "\n".join(tried.findings) or "nothing found")  # noqa: T201
        return 1 if tried.findings else 0
    outcome = run(arguments.system or systems(), arguments.seconds, seed, told)
    for one in outcome.findings:
        told(f"python -m tests.fuzz --repeat {keep(one).relative_to(ROOT)}")
    print(json.dumps(as_json(outcome), indent=1) if arguments.json else words(outcome))  # noqa: T201
    return 1 if outcome.findings else 0


def keep(found: dict[str, Any]) -> Path:
    """Writes a finding down, so that it can be repeated; gives the file."""
    name = hashlib.sha256(f"{found['decoder']} {found['step']} {found['kind']}".encode()).hexdigest()[:10]
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{found['decoder'].replace('/', '-')}-{name}.json"
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return path


def repeat(path: Path) -> int:
    """Tries a finding's document again; 1 when it is still wrong."""
    found = json.loads(path.read_text(encoding="utf-8"))
    system, _, name = found["decoder"].partition("/")
    decoder = next(one for one in corpus(system).decoders if one.name == name)
    bound_memory()
    be_interrupted()
    read, problem = attempt(decoder, base64.b64decode(found["document"]))
    print(f"{problem.step}: {problem.kind}\n{problem.trace}" if problem else f"nothing wrong; {'read' if read else 'refused'}")  # noqa: T201
    return 1 if problem else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Documents that nobody would send, for every decoder; prints executions by decoder, and exits with 1 on a finding.",
    )
    parser.add_argument("--seconds", type=float, default=HOUR, help="how long the workers try; an hour")
    parser.add_argument("--seed", type=int, help="makes the same changes again; without it, others each time")
    parser.add_argument("--system", action="append", choices=systems(), help="one system's decoders; may be given again")
    parser.add_argument("--edge", action="store_true", help="the real Envoy instead: malformed HTTP/2, gRPC frames, protobufs and JSON")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="try the document of a finding again, and nothing else")
    return parser
