"""Where the ledger's server is and how it is reached: a service file, a password in a file, TLS that checks the server's name.

The law: no secret is a setting or an argument; over a network nothing is said to a server whose certificate does not bear its name.
"""

import configparser
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from metip.hub.v1 import settings_pb2
from metip.journal.keys import SecretError, read_secret_text
from metip.settings import SettingsError

SERVICE: Final = "ledger"
"""The section that is read where none is named."""
KEYS: Final = ("host", "port", "dbname", "user")
ELSEWHERE: Final = {
    "password": "belongs in the file that `password_file` names",
    "passfile": "belongs in `password_file`",
    "sslmode": "is verify-full always; take the line out",
    "sslrootcert": "belongs in `authority_file`",
    "sslcert": "belongs in `certificate_file`",
    "sslkey": "belongs in `key_file`",
}
"""Words of libpq's service file that are said elsewhere here, and where."""
PORT: Final = 5432
CONNECT_WITHIN: Final = 10.0
ANSWER_WITHIN: Final = 60.0
"""Seconds after which a server that does not answer is away."""


@dataclass(frozen=True)
class Server:
    """A server and the account on it."""

    hosts: tuple[str, ...]
    """Names, or one folder of a unix socket, which begins with a slash. The primary among them is used."""
    ports: tuple[int, ...]
    database: str
    user: str
    password_file: Path | None = None
    authority_file: Path | None = None
    """Certificates of the authorities that may have signed the server's; needed over a network."""
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __str__(self) -> str:
        """For people: nothing of it is secret."""
        places = ",".join(f"{host}:{port}" for host, port in zip(self.hosts, self.ports, strict=True))
        return f"{self.user}@{places}/{self.database}"

    def options(self) -> dict[str, Any]:
        """What the driver is given; files are read now, so that a new password or certificate needs no restart.

        Raises `SecretError` and `OSError` for a file that can't be used; `ssl.SSLError` is an `OSError`.
        """
        password = read_secret_text(self.password_file) if self.password_file else None
        return {
            "host": list(self.hosts),
            "port": list(self.ports),
            "user": self.user,
            "database": self.database,
            "password": password,
            "ssl": self._context(),
            "target_session_attrs": "primary",
            "timeout": CONNECT_WITHIN,
        }

    def _context(self) -> ssl.SSLContext | bool:
        if self.authority_file is None:
            return False
        context = ssl.create_default_context(cafile=self.authority_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context


def read(said: settings_pb2.Postgres, folder: Path) -> Server:
    """The server that the settings name; paths start at `folder`. Raises `SettingsError` with all that is wrong."""
    path, section = folder / said.service_file, said.service or SERVICE
    found, problems = _service(path, section)
    hosts = tuple(one.strip() for one in found.get("host", "").split(",") if one.strip())
    ports = [one.strip() for one in found.get("port", str(PORT)).split(",")]
    ports = ports * len(hosts) if len(ports) == 1 else ports
    problems += [f"{key}: is missing" for key in ("host", "dbname", "user") if not found.get(key, "").strip()]
    if len(ports) != len(hosts) or not all(one.isdecimal() and 0 < int(one) < 65_536 for one in ports):
        problems.append("port: is one number, or one for each host")
    local = all(one.startswith("/") for one in hosts)
    if not local and not said.authority_file:
        problems.append("authority_file: is needed over a network, where the server's certificate is checked")
    if local and hosts and (said.authority_file or said.certificate_file):
        problems.append("authority_file: a unix socket has no TLS")
    if bool(said.certificate_file) != bool(said.key_file):
        problems.append("certificate_file: goes with key_file")
    if problems:
        raise SettingsError("ledger.postgres", tuple(problems))
    server = Server(
        hosts,
        tuple(map(int, ports)),
        found["dbname"].strip(),
        found["user"].strip(),
        *(folder / one if one else None for one in (said.password_file, said.authority_file, said.certificate_file, said.key_file)),
    )
    try:
        server.options()
    except (SecretError, OSError) as error:
        raise SettingsError("ledger.postgres", (str(error),)) from None
    return server


def _service(path: Path, section: str) -> tuple[dict[str, str], list[str]]:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError("ledger.postgres", (f"service_file: {path} can't be read: {error.strerror}",)) from None
    except (configparser.Error, UnicodeDecodeError):  # its words would repeat the line, which may hold a password
        raise SettingsError("ledger.postgres", (f"service_file: {path} is no connection service file",)) from None
    if not parser.has_section(section):
        raise SettingsError("ledger.postgres", (f"service: {path} has no section [{section}]",))
    found = dict(parser.items(section))
    problems = [f"{path}: {key} {ELSEWHERE.get(key, 'is no word that is known here')}" for key in found if key not in KEYS]
    return found, problems
