"""Façades: processes beside an adapter that answer another protocol through the typed contracts, found by their folders.

The law: a façade goes to Envoy as the consumer who asked it, so it needs an identity that names each consumer. Those are the identities of
the home whose names begin with the façade's and a hyphen: whoever issues one more, and starts the mesh again, lets that consumer in.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.identity import Store
from hub.laptop.layout import DEVELOPER, TRUST_DOMAIN, Home
from hub.mesh.admin import Admin, EnvoyGoneError

PREFIX = "facade-"
POLL = 0.05


@dataclass(frozen=True)
class Door:
    """One façade of a home: its system and the port on 127.0.0.1 on which it listens."""

    home: Home
    system: str
    port: int

    @property
    def name(self) -> str:
        """Of its process, its identity and its files."""
        return f"{PREFIX}{self.system}"

    @property
    def settings(self) -> Path:
        """Its settings file."""
        return self.home.root / f"{self.name}.yaml"

    @property
    def command(self) -> tuple[str, ...]:
        """What starts it."""
        return (sys.executable, "-m", f"adapters.{self.system}.facade", "--settings", str(self.settings))

    def identities(self) -> dict[str, str]:
        """The SPIFFE IDs that it must have, by name: its own, and the developer's."""
        own = f"spiffe://{TRUST_DOMAIN}/facade/{self.system}"
        return {self.name: own, f"{self.name}-{DEVELOPER}": f"spiffe://{TRUST_DOMAIN}/consumer/{DEVELOPER}"}

    def write(self, edge: int) -> None:
        """Writes its settings; `edge` is Envoy's port for gRPC."""
        consumers = [name for name in Store(self.home.identity).names() if name.startswith(f"{self.name}-")]
        lines = "\n".join(f"  - identity/{name}" for name in consumers)
        self.settings.touch(mode=0o600)
        self.settings.write_text(
            f"""# Written by `metip up` at each start. An identity more, `metip identity issue <SPIFFE id> --name {self.name}-<consumer>`,
# lets that consumer in from the next start on.
listen: 127.0.0.1:{self.port}
public_address: https://localhost:{self.port}
identity: identity/{self.name}
authority: identity/ca.pem
consumers:
{lines}
edge: 127.0.0.1:{edge}
health_socket: {health_socket(self.home, self.name)}
""",
            encoding="utf-8",
        )


def doors(home: Home, port: int, folder: Path) -> Iterator[Door]:
    """The façades among the adapters in `folder`, on this port and those after it; none for port 0."""
    found = sorted(path.parent.parent.name for path in folder.glob("*/facade/__main__.py")) if port else []
    yield from (Door(home, system, port + place) for place, system in enumerate(found))


def health_socket(home: Home, name: str) -> Path:
    """Where a façade, by the name of its process, tells how it is."""
    return home.run / f"{name}.sock"


async def until_serving(home: Home, name: str) -> None:
    """Until a façade answers."""
    while True:
        try:
            await Admin(health_socket(home, name)).get("/health")
            return
        except EnvoyGoneError:
            await asyncio.sleep(POLL)
