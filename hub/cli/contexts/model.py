"""What a context says: which mesh, of which kind, and by which files one is known there. Files and addresses only, never a secret."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

DEV, TEST, LIVE = "dev", "test", "live"
KINDS: Final = (DEV, TEST, LIVE)
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
ADDRESS: Final = re.compile(r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9a-fA-F:]{2,45}\]):(?P<port>[0-9]{1,5})")
NETWORK: Final = ("edge", "json", "console")
"""Fields that hold `host:port`."""
FILES: Final = ("certificate", "key", "authority", "token")
"""Fields that hold the path of a file."""


@dataclass(frozen=True)
class Context:
    """A mesh by name. Either `home` is there, or addresses are; whatever is empty is not said."""

    name: str
    kind: str
    home: str = ""
    """Folder of a mesh on this machine."""
    hub: str = ""
    """Path of the hub's unix socket."""
    edge: str = ""
    json: str = ""
    console: str = ""
    """`host:port` of the edge for gRPC, of the edge for JSON, and of the console, through which the hub is asked from afar."""
    certificate: str = ""
    key: str = ""
    authority: str = ""
    """Paths: the consumer's certificate, its key, and the authorities that servers' certificates may be from."""
    token: str = ""
    """Path of a file with an officer's or an operator's token, read anew by each command."""
    server_name: str = ""
    """Name that servers' certificates bear, where it is not the address's."""
    about: str = ""

    @property
    def live(self) -> bool:
        """Whether real people stand behind its data."""
        return self.kind == LIVE

    @property
    def where(self) -> str:
        """Where the mesh is, in a few words."""
        return self.home or ", ".join(f"{name} {value}" for name in ("console", "edge", "hub") if (value := getattr(self, name)))

    @property
    def plain(self) -> bool:
        """Whether it is a home folder and nothing else."""
        return bool(self.home) and not any(getattr(self, name) for name in (*NETWORK, *FILES, "hub", "server_name"))

    def document(self) -> dict[str, str]:
        """What is said, as it is written to its file."""
        return {name: value for name, value in asdict(self).items() if value}


def problems_of(one: Context) -> list[str]:
    """Everything that is wrong with a context."""
    found = []
    if not NAME.fullmatch(one.name):
        found.append("a name has 1 to 40 small letters, digits, dots, hyphens or underscores, and begins with a letter or a digit")
    if one.kind not in KINDS:
        found.append(f"its kind is one of {', '.join(KINDS)}")
    addresses = [name for name in ("hub", *NETWORK) if getattr(one, name)]
    if one.home and addresses:
        found.append(f"it has a home folder or addresses, not both: home and {', '.join(addresses)}")
    if not one.home and not addresses:
        found.append("it says no mesh: give its home folder, or at least one of hub, edge and console")
    for name in NETWORK:
        match = ADDRESS.fullmatch(getattr(one, name)) if getattr(one, name) else None
        if getattr(one, name) and (match is None or not 1 <= int(match["port"]) <= 65535):
            found.append(f"{name} is an address such as hub.example:8445")
    if bool(one.certificate) != bool(one.key):
        found.append("a certificate and its key go together")
    for name in ("home", "hub", *FILES):
        if getattr(one, name) and not Path(getattr(one, name)).is_absolute():
            found.append(f"{name} is a whole path")
    return found


def context_of(name: str, said: Any) -> Context:
    """The context that a document describes. Raises `ValueError` with every problem."""
    if not isinstance(said, Mapping):
        raise ValueError("it is no JSON object")
    known = {one.name for one in fields(Context)}
    strange = sorted(str(key) for key in set(said) - known)
    if strange:
        raise ValueError(f"it has {', '.join(strange)}, which no context has")
    if not all(isinstance(value, str) for value in said.values()):
        raise ValueError("each of its values is text")
    if said.get("name", name) != name:
        raise ValueError(f"it says that its name is {said['name']}")
    found = Context(**{"kind": "", **said, "name": name})
    problems = problems_of(found)
    if problems:
        raise ValueError("; ".join(problems))
    return found
