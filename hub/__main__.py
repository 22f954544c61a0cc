"""`python -m hub --settings hub.yaml`: the process of the hub."""

import metip.polling  # noqa: F401 - before gRPC

# isort: split

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import uvloop

from hub.server import serve
from metip.settings import SettingsError


def main() -> int:
    """Reads the arguments, runs until told to stop, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hub", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="YAML settings (metip.hub.v1.Settings)")
    parser.add_argument("--contracts", type=Path, help="a descriptor set to serve instead of the installed contracts")
    arguments = parser.parse_args()
    descriptor_set = arguments.contracts.read_bytes() if arguments.contracts else None

    async def body() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(arguments.settings, stop, descriptor_set=descriptor_set)

    try:
        uvloop.run(body())
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one message before logging begins
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
