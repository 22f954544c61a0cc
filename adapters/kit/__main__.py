"""`python -m adapters.kit serve|simulate <system>`: the process of an adapter, or of a simulator."""

import metip.polling  # noqa: F401 - before gRPC

# isort: split

import argparse
import asyncio
import ipaddress
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from adapters.kit import discovery
from adapters.kit.journal import Place
from adapters.kit.workers import Launch, run_workers
from metip.journal.file import BrokenError, FullError
from metip.journal.keys import SecretError
from metip.journal.store import HALTED
from metip.settings import SettingsError, read_settings


def main() -> int:
    """Reads the arguments, runs, and returns the exit code."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "serve":
            return _serve(arguments)
        return _simulate(arguments)
    except (SettingsError, LookupError, TypeError, SecretError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one message before logging begins
        return 2
    except (BrokenError, FullError) as error:
        print(f"the journal can't be opened: {error}", file=sys.stderr)  # noqa: T201 - as above
        return HALTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m adapters.kit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve",
        help="serve an adapter",
        epilog="example: serve example --run-dir .metip/run --journals .metip/state/journals --ledger .metip/identity/ledger",
    )
    serve.add_argument("system", choices=discovery.systems())
    serve.add_argument("--settings", type=Path, help="YAML settings; default: the settings.yaml of the adapter's folder")
    serve.add_argument("--run-dir", type=Path, required=True, help="folder for sockets, readable by this user only")
    serve.add_argument("--registry", default="", help="address of the hub's registry, such as unix:/run/metip/hub.sock")
    serve.add_argument("--upstream", default="", help="address of the far system, instead of the settings' own")
    serve.add_argument("--replica", action="store_true", help="the far system at --upstream is a copy or a simulator, never a live one")
    serve.add_argument("--mesh", default="", help="host:port of Envoy, for adapters that consult other interfaces")
    serve.add_argument("--identity", type=Path, help="folder with cert.pem, key.pem; ca.pem beside or above it")
    serve.add_argument("--journals", type=Path, help="folder for the journals of its workers, which the hub gathers")
    serve.add_argument("--ledger", type=Path, help="folder with the ledger's keys: index/1.key, sealing/1.pub")
    serve.add_argument(
        "--listen",
        type=_ipv4_and_port,
        metavar="ADDRESS:PORT",
        help="serve Envoy alone on this IPv4 address, by mutual TLS under --identity, not on a socket; each worker takes the next port",
    )
    serve.add_argument("--metrics", default="", metavar="ADDRESS", help="show metrics at 127.0.0.1:PORT (0 for a free one) or unix:PATH")
    serve.add_argument("--metrics-targets", default="", metavar="FOLDER", help="write there where the metrics are, for Prometheus to find")
    serve.add_argument("--traces", default="", metavar="HOST:PORT", help="send traces to this collector (OTLP over gRPC)")
    serve.add_argument("--workers", type=int, default=0, help="worker processes, instead of the settings' own")
    serve.add_argument("--worker", type=int, default=-1, help=argparse.SUPPRESS)
    simulate = commands.add_parser("simulate", help="run simulators", epilog="example: simulate example --run-dir .metip/run")
    simulate.add_argument("systems", nargs="+", choices=[system for system in discovery.systems() if discovery.has_simulator(system)])
    simulate.add_argument("--run-dir", type=Path, required=True, help="folder for the control socket")
    simulate.add_argument("--listen", default="127.0.0.1:0", help="address on which to speak the system's protocol; port 0 picks one")
    simulate.add_argument("--seed", type=int, default=2026, help="seed of the synthetic population")
    return parser


def _ipv4_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    try:
        if not 0 < int(port) < 65536:
            raise ValueError
        return f"{ipaddress.IPv4Address(host)}:{int(port)}"
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no IPv4 address:port") from None


def _serve(arguments: argparse.Namespace) -> int:
    path = arguments.settings or discovery.FOLDER / arguments.system / "settings.yaml"
    settings: Any = read_settings(path, discovery.settings_type(arguments.system))
    if arguments.upstream:
        settings.upstream.address = arguments.upstream
    if arguments.replica:
        if not arguments.upstream:
            raise TypeError("--replica needs --upstream: it is said of one address")
        settings.serving.replica = arguments.upstream
    if arguments.metrics:
        settings.serving.telemetry.metrics, settings.serving.telemetry.targets = arguments.metrics, arguments.metrics_targets
    if arguments.traces:
        settings.serving.telemetry.traces.collector = arguments.traces
    launch = Launch(
        system=arguments.system,
        run_directory=arguments.run_dir,
        registry=arguments.registry,
        mesh=arguments.mesh,
        identity=arguments.identity,
        journal=_place(arguments),
        listen=arguments.listen or "",
    )
    if launch.listen and launch.identity is None:
        raise TypeError("--listen needs --identity: on TCP an adapter shows who it is, and asks who calls")
    workers = arguments.workers or settings.serving.workers or 1
    return _until_told(lambda stop: run_workers(launch, settings, workers, arguments.worker, sys.argv[1:], stop))


def _place(arguments: argparse.Namespace) -> Place | None:
    if (arguments.journals is None) != (arguments.ledger is None):
        raise LookupError("--journals and --ledger go together: where records are kept, and the keys that they are sealed and found by")
    return Place(arguments.journals, arguments.ledger) if arguments.journals else None


def _simulate(arguments: argparse.Namespace) -> int:
    from adapters.kit.simulation import run_simulators

    return _until_told(lambda stop: run_simulators(arguments.systems, arguments.run_dir, arguments.listen, arguments.seed, stop))


def _until_told(run: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    async def body() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        return await run(stop)

    return uvloop.run(body())


if __name__ == "__main__":
    sys.exit(main())
