"""Who may call, and as whom their calls go to Envoy: the consumer that a client certificate names, and the identity held for it.

The law: the façade has no name of its own towards Envoy. For each consumer that it fronts it holds one certificate that names that
consumer, so that grants, limits, tokens and the ledger mean who asked. It can be nobody whose certificate it was not given
(docs/decisions/0020).
"""

import os
import ssl
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509

from adapters.kit.mutual import spiffe_id_of
from adapters.kit.site import Identity, Mesh
from adapters.metip1.facade.refusals import Refusal, refused
from metip.faults import Fault, Reason
from metip.settings import SettingsError

CONSUMER: Final = "/consumer/"
"""Where the SPIFFE IDs of consumers begin, after the trust domain."""


@dataclass(frozen=True)
class Consumer:
    """One consumer, and the way to Envoy under its name."""

    spiffe_id: str
    mesh: Mesh


class Consumers:
    """The consumers that the façade fronts."""

    def __init__(self, known: Mapping[str, Consumer]) -> None:
        self._known = known

    def __len__(self) -> int:
        return len(self._known)

    @classmethod
    def read(cls, folders: Sequence[Path], authority: Path, edge: str, edge_name: str) -> "Consumers":
        """Reads the identities of a folder for each. Raises `SettingsError` that names every folder that can't be used."""
        found: dict[str, Consumer] = {}
        problems = []
        for folder in folders:
            identity = Identity(folder / "cert.pem", folder / "key.pem", authority)
            try:
                name = _named(identity)
                if name in found:
                    raise ValueError("names a consumer that another folder names too")
                found[name] = Consumer(name, Mesh(edge, identity, edge_name))
            except OSError as error:  # an SSLError, of a key that is another certificate's, is one too
                problems.append(f"{folder} can't be used: {error.strerror or error}")
            except ValueError as error:
                problems.append(f"{folder} {error}")
        if problems:
            raise SettingsError("consumers", tuple(problems))
        return cls(found)

    def of(self, certificate: bytes | None) -> Consumer:
        """The consumer that a client certificate (DER) names; TLS has verified who signed it. Raises `Refusal` CONSUMER_UNKNOWN."""
        named, until = _facts(certificate) if certificate else ("", datetime.min.replace(tzinfo=UTC))
        consumer = self._known.get(named)
        if consumer is None:
            raise _unknown("the client certificate names no consumer that may call here")
        if until < datetime.now(UTC):  # the connection was opened before
            raise _unknown("the client certificate has expired")
        return consumer

    async def close(self) -> None:
        """Ends the channels to Envoy."""
        for one in self._known.values():
            await one.mesh.close()


@lru_cache(maxsize=1024)
def _facts(certificate: bytes) -> tuple[str, datetime]:
    """The SPIFFE ID, empty where there is not exactly one or it is an authority's; and until when the certificate is valid."""
    try:
        read = x509.load_der_x509_certificate(certificate)
        return spiffe_id_of(read), read.not_valid_after_utc
    except (ValueError, x509.DuplicateExtension):
        return "", datetime.min.replace(tzinfo=UTC)


def _named(identity: Identity) -> str:
    """Whom an identity names. Raises `OSError`, and `ValueError` for one that is open to others or no consumer's."""
    found = identity.key.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & (0o077 if found.st_uid == os.geteuid() else 0o037):  # another's is root's, mounted for our group
        raise ValueError(f"has a key that is open to other users (mode {mode:04o}): chmod 600 it")
    ssl.create_default_context().load_cert_chain(identity.certificate, identity.key)
    name = spiffe_id_of(x509.load_pem_x509_certificate(identity.certificate.read_bytes()))
    if not name.removeprefix("spiffe://").partition("/")[2].startswith(CONSUMER.lstrip("/")):
        raise ValueError(f"is the identity of {name}, which is no consumer")
    return name


def _unknown(text: str) -> Refusal:
    return refused(Fault(Reason.CONSUMER_UNKNOWN, text), status=403)
