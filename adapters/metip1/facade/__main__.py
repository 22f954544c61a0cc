"""Answers the old bus's SOAP services through the typed contracts, over HTTPS with certificates on both sides."""

import metip.polling  # noqa: F401 - before gRPC

# isort: split

import argparse
import asyncio
import logging
import signal
import sys
from contextlib import AsyncExitStack
from datetime import date
from functools import partial
from pathlib import Path

import uvloop

from adapters.kit.pipeline import Gate
from adapters.kit.serving import installed_contracts
from adapters.kit.tls import Credentials
from adapters.metip1.facade.calling import Calls
from adapters.metip1.facade.consumers import Consumers
from adapters.metip1.facade.description import description_of
from adapters.metip1.facade.serving import Facade
from adapters.metip1.services import OPERATIONS, SERVICES
from metip.logs import Log
from metip.metip1.v1.facade_pb2 import FacadeSettings
from metip.settings import SettingsError, read_settings

LARGEST, IN_FLIGHT, DRAIN = 256 * 1024, 200, 10.0
# Lines of calls wait this long for others, so that a busy process writes fifty times a second and not with each call.
LINES_TOGETHER = 0.02
EXAMPLES = """examples:
  python -m adapters.metip1.facade --settings facade.yaml
  python -m adapters.metip1.facade --settings facade.yaml --check
  python -m adapters.metip1.facade --wsdl PNCEnquiry --address https://soap.example:8445 > PNCEnquiry.wsdl

It ends on SIGTERM or Ctrl-C: new calls are refused, those in progress may end. README.md beside this module has the settings.
"""


def main() -> int:
    """Reads the arguments, runs, and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m adapters.metip1.facade", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--settings", type=Path, metavar="FILE", help="YAML settings, metip.metip1.v1.FacadeSettings")
    what.add_argument(
        "--wsdl", choices=[one.name for one in SERVICES], metavar="SERVICE", help="print the description of a service and end"
    )
    parser.add_argument("--address", default="https://localhost:8445", metavar="URL", help="base URL that the description names")
    parser.add_argument("--check", action="store_true", help="read settings and identities, say what is wrong, and end")
    arguments = parser.parse_args()
    if arguments.wsdl:
        service = next(one for one in SERVICES if one.name == arguments.wsdl)
        operations = [one for one in OPERATIONS if one.service == service]
        sys.stdout.write(description_of(service, operations, f"{arguments.address.rstrip('/')}{service.path}").decode())
        return 0
    try:
        settings = read_settings(arguments.settings, FacadeSettings)
        facade = made(settings, arguments.settings.parent)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one message before logging begins
        return 2
    if arguments.check:
        print(f"{arguments.settings} can be used: {len(facade.consumers)} consumer{'s' * (len(facade.consumers) > 1)}")  # noqa: T201 - what was asked for
        return 0
    return uvloop.run(_until_told(facade, settings, arguments.settings.parent))


def made(settings: FacadeSettings, folder: Path) -> Facade:
    """A façade of these settings, whose relative paths start at `folder`. Raises `SettingsError`."""
    identity, authority = folder / settings.identity, folder / settings.authority
    try:
        credentials = Credentials(identity / "cert.pem", identity / "key.pem", authority)
    except OSError as error:  # ssl's own errors are OSErrors too
        raise SettingsError("identity", (f"{identity} can't be used with {authority}: {error.strerror or error}",)) from None
    folders = [folder / one for one in settings.consumers]
    return Facade(
        consumers=Consumers.read(folders, authority, settings.edge, settings.edge_name or "localhost"),
        calls=Calls(installed_contracts(date.today()).operations),  # noqa: DTZ011 - an assessment is due by the local calendar
        gate=Gate(settings.max_in_flight or IN_FLIGHT, settings.max_in_flight_of_one_consumer),
        log=Log(process="facade"),
        services=SERVICES,
        operations=OPERATIONS,
        largest=settings.largest_request or LARGEST,
        address=settings.public_address,
        credentials=credentials,
    )


async def _until_told(facade: Facade, settings: FacadeSettings, folder: Path) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL + 1)  # it would repeat what it can't parse
    facade.log.gather(partial(loop.call_later, LINES_TOGETHER))
    host, _, port = settings.listen.rpartition(":")
    drain = settings.drain.ToTimedelta().total_seconds() if settings.HasField("drain") else DRAIN
    try:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(facade.consumers.close)
            if settings.health_socket:
                await stack.enter_async_context(facade.healthy(folder / settings.health_socket))
            address = await stack.enter_async_context(facade.listening(host, int(port), drain))
            facade.log.line("started", address=address, services=len(SERVICES), consumers=len(facade.consumers))
            await stop.wait()
    except OSError as error:
        facade.log.line("can_not_listen", address=settings.listen, why=error.strerror)
        return 1
    facade.log.line("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
