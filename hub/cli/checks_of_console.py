"""Checks of the console: its page is there, under the policy that keeps everything else out, and nobody is let in without a sign-in."""

import ssl
from collections.abc import AsyncIterator
from typing import Final

from hub.cli.client import LOOPBACK, PATIENCE, Place
from hub.cli.findings import EDGE, Finding, Section

CALL: Final = "/metip.hub.v1.MeshService/GetMesh"
GRPC_WEB: Final = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}


async def of_console(where: Place) -> AsyncIterator[Finding]:
    """Nothing where there is none."""
    import aiohttp

    said, section = where.settings.console, Section(EDGE)
    if said is None:
        return
    host, signs_in = where.settings.edge.address or LOOPBACK, said.HasField("sign_in")
    address, seen = f"https://{host}:{said.port}", f"the console at {host}:{said.port}"
    fix = f"start the mesh with `metip up`, or see in {where.home.log('envoy')} why not"
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(where.store.ca_certificate)
    connector, patience = aiohttp.TCPConnector(ssl=trusted), aiohttp.ClientTimeout(PATIENCE)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=patience) as session:
            async with session.get(f"{address}/", allow_redirects=False, server_hostname=_name(where)) as page:
                there = page.status == 302 if signs_in else page.status == 200 and "content-security-policy" in page.headers
                way = "sends people to sign in" if signs_in else "gives out its page"
                yield section.judged(there, f"{seen} {way}", f"{seen} answers {page.status} instead of its page", fix)
            async with session.post(f"{address}{CALL}", data=b"\0" * 5, headers=GRPC_WEB, server_hostname=_name(where)) as answer:
                refused = answer.status in (401, 403) or answer.headers.get("grpc-status") in ("7", "16")
                yield section.judged(
                    refused,
                    f"{seen} refuses a call of nobody",
                    f"{seen} lets anybody call without a sign-in",
                    "stop it: this is not the hub's Envoy, or not the hub's configuration",
                )
    except (TimeoutError, aiohttp.ClientError) as error:
        yield section.wrong(f"{seen} can't be reached: {error or type(error).__name__}", fix)


def _name(where: Place) -> str | None:
    """What its certificate must say: the laptop's own says `localhost`, one for browsers whatever they call it."""
    said = where.settings.console
    assert said is not None, "there is a console"
    if said.HasField("sign_in"):
        return said.sign_in.address.removeprefix("https://").partition(":")[0]
    return "localhost"
