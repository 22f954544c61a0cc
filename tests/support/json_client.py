"""A thin client that speaks JSON to the edge, as a tablet or a car does: TLS with a certificate of its own, an officer's token, POST."""

import json
import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp
from mesh_rig import MeshRig

from hub.laptop.layout import DEVELOPER


@dataclass(frozen=True)
class JsonAnswer:
    """What came back."""

    status: int
    body: bytes

    @property
    def document(self) -> Any:
        """The one document of a unary call."""
        return json.loads(self.body)

    @property
    def documents(self) -> list[Any]:
        """The documents of a stream, one a line."""
        return [json.loads(line) for line in self.body.splitlines() if line]


async def post_text(
    rig: MeshRig, operation: str, text: str, *, within: float = 10.0, name: str = DEVELOPER, token: bool = True
) -> JsonAnswer:
    """Calls an operation with a text that need be no document."""
    context = ssl.create_default_context(cafile=str(rig.store.ca_certificate))
    context.load_cert_chain(rig.store.certificate(name), rig.store.key(name))
    headers = {"content-type": "application/json", "grpc-timeout": f"{int(within * 1000)}m", **(dict(rig.token(name)) if token else {})}
    url = f"https://localhost:{rig.ports.json}/{operation}"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.post(url, data=text, headers=headers) as answer,
    ):
        return JsonAnswer(answer.status, await answer.read())


async def post(
    rig: MeshRig, operation: str, document: Any, *, within: float = 10.0, name: str = DEVELOPER, token: bool = True
) -> JsonAnswer:
    """Calls an operation with a document."""
    return await post_text(rig, operation, json.dumps(document), within=within, name=name, token=token)
