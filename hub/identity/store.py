"""The identity folder: which file lies where; production supplies its own files in the same layout.

    <home>/identity/
      ca.pem              the authorities to trust            ca.key             absent in production
      token-issuer.key    absent in production                jwks.json          the issuer's public keys, for Envoy
      ledger/             keys of the ledger                  witness/           keys of its witness
      <name>/cert.pem     a workload's leaf, nothing else     <name>/key.pem     its key

The law: a public file (ca.pem, jwks.json, cert.pem) is written after its private one and can always be made again
from it; a public file that is there is never overwritten by `ensure`. So a crash at any point is mended by the next
run, and a folder supplied from outside (public files only) is left alone, even where it is read-only.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.identity import jwks
from hub.identity.authority import Authority, new_authority, new_key, trust_domain_of
from hub.identity.faults import Reason, refusal
from hub.identity.private_files import (
    exclusive,
    make_private_folder,
    read_private,
    read_public,
    sweep_unfinished,
    write_private,
)
from hub.identity.spiffe import DEFAULT_TRUST_DOMAIN

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_FIXED = frozenset({"ca.pem", "ca.key", "token-issuer.key", "jwks.json", "ledger", "witness"})
"""Names that no workload can have; the last two are folders of keys that are no workload's."""


@dataclass(frozen=True)
class Ensured:
    """What `ensure` made: file names within the store, in the order written; empty where all was there."""

    created: tuple[str, ...]


@dataclass(frozen=True)
class Store:
    """The identity folder at `directory`; nothing is read or made until asked."""

    directory: Path

    @property
    def ca_certificate(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def ca_key(self) -> Path:
        return self.directory / "ca.key"

    @property
    def token_issuer_key(self) -> Path:
        return self.directory / "token-issuer.key"

    @property
    def jwks(self) -> Path:
        return self.directory / "jwks.json"

    def folder(self, name: str) -> Path:
        """Return a workload's folder; raises IdentityError INVALID_NAME."""
        if not _NAME.fullmatch(name) or name in _FIXED:
            raise refusal(
                Reason.INVALID_NAME,
                f"{name[:80]!r} can't name an identity's folder",
                "use up to 100 letters, digits, hyphens, underscores and dots, starting with a letter or digit",
            )
        return self.directory / name

    def certificate(self, name: str) -> Path:
        return self.folder(name) / "cert.pem"

    def key(self, name: str) -> Path:
        return self.folder(name) / "key.pem"

    def names(self) -> tuple[str, ...]:
        """Return the workloads that have a folder here, in order; empty where the store doesn't exist."""
        if not self.directory.is_dir():
            return ()
        entries = (
            entry for entry in self.directory.iterdir() if _NAME.fullmatch(entry.name) and entry.name not in _FIXED and entry.is_dir()
        )
        return tuple(sorted(entry.name for entry in entries))

    def ensure(self, *, trust_domain: str | None = None, now: datetime | None = None) -> Ensured:
        """Create the authority and the token issuer where they are absent; any number of processes may do so at once.

        `trust_domain` is for a new authority (default metip.local). Raises IdentityError WRONG_TRUST_DOMAIN where one
        of another trust domain is here already, EXPOSED, UNREADABLE or UNWRITABLE.
        """
        created: list[str] = []
        if not (self.ca_certificate.exists() and self.jwks.exists()):
            with self.exclusive():
                created += self._ensure_authority(trust_domain or DEFAULT_TRUST_DOMAIN, now or datetime.now(UTC))
                created += self._ensure_token_issuer()
        if trust_domain is not None and (here := self.trust_domain()) != trust_domain:
            raise refusal(
                Reason.WRONG_TRUST_DOMAIN,
                f"{self.directory} is the identity of trust domain {here}, not {trust_domain}",
                "give another --home for the other trust domain",
            )
        return Ensured(tuple(created))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the store against other writers, creating it where absent; not re-entrant."""
        make_private_folder(self.directory)
        with exclusive(self.directory / ".lock"):
            for folder in (self.directory, *(self.directory / name for name in self.names())):
                sweep_unfinished(folder)
            yield

    def authorities(self) -> tuple[x509.Certificate, ...]:
        """Return the certificates of ca.pem, one or more; raises IdentityError MISSING or UNREADABLE."""
        return read_certificates(self.ca_certificate)

    def authority(self) -> Authority:
        """Return the signing authority. Raises IdentityError: MISSING where its key isn't here, AUTHORITY_UNUSABLE."""
        key = read_key(self.ca_key)
        for certificate in self.authorities():
            if certificate.public_key() == key.public_key():
                return Authority(certificate, key)
        raise refusal(
            Reason.AUTHORITY_UNUSABLE,
            f"{self.ca_key} isn't the key of any certificate in {self.ca_certificate}",
            "put the right pair there, or let whoever supplied ca.pem issue the certificate",
        )

    def trust_domain(self) -> str:
        """Return the trust domain of ca.pem's first certificate; raises IdentityError."""
        return trust_domain_of(self.authorities()[0])

    def write_key(self, name: str, key: ec.EllipticCurvePrivateKey) -> None:
        """Store a workload's key; the caller holds the store."""
        make_private_folder(self.folder(name))
        write_private(self.key(name), _key_text(key))

    def write_certificate(self, name: str, certificate: x509.Certificate) -> None:
        """Store a workload's leaf; the caller holds the store and has stored the key before."""
        write_private(self.certificate(name), certificate.public_bytes(serialization.Encoding.PEM))

    def _ensure_authority(self, trust_domain: str, now: datetime) -> list[str]:
        if self.ca_certificate.exists():
            return []
        created = _ensure_key(self.ca_key)
        authority = new_authority(trust_domain, now=now, key=read_key(self.ca_key))
        write_private(self.ca_certificate, authority.certificate.public_bytes(serialization.Encoding.PEM))
        return [*created, self.ca_certificate.name]

    def _ensure_token_issuer(self) -> list[str]:
        if self.jwks.exists():
            return []
        created = _ensure_key(self.token_issuer_key)
        write_private(self.jwks, jwks.key_set(read_key(self.token_issuer_key).public_key()))
        return [*created, self.jwks.name]


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a PEM file, at least one; raises IdentityError MISSING or UNREADABLE."""
    try:
        certificates = tuple(x509.load_pem_x509_certificates(read_public(path)))
        for certificate in certificates:
            # Both are parsed on first use: what can't be parsed is to fail here, under the file's name.
            _ = certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise refusal(Reason.UNREADABLE, f"{path} isn't a PEM certificate", "put the right file there") from error
    return certificates


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return an EC P-256 private key. Raises IdentityError EXPOSED, MISSING or UNREADABLE, never with the content."""
    content = read_private(path)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise refusal(
            Reason.UNREADABLE,
            f"{path} isn't an unencrypted EC P-256 private key in PEM",
            "put the key there again, or issue with --new-key",
        )
    return key


def _ensure_key(path: Path) -> list[str]:
    if path.exists():
        return []
    write_private(path, _key_text(new_key()))
    return [path.name]


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
