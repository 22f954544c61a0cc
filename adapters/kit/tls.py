"""TLS both ways between an adapter and its far system: each side shows a certificate, and each checks the other's.

Without files, both sides use certificates of an authority whose key is made of this module's own words, so that anybody can make one. That
proves nothing about who is there, and is why it works on this machine's own addresses only; the handshake itself is the real one.
"""

import ipaddress
import ssl
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from metip.adapter.v1.tls_pb2 import Tls
from metip.settings import SettingsError

VALID_FOR = timedelta(days=3650)


class Credentials:
    """What this side shows and what it accepts, as a client and as a server."""

    def __init__(self, certificate: Path, key: Path, authority: Path) -> None:
        """Raises `OSError` and `ssl.SSLError` when a file can't be used."""
        self._files = certificate, key
        self._changed = self._stamp()
        self.client = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(authority))
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
        self.server.verify_mode = ssl.CERT_REQUIRED
        self._load()

    @classmethod
    def of(cls, settings: Tls, addresses: Mapping[str, str]) -> Self:
        """Reads the setting. `addresses` are the settings' own, by name: without files each must be this machine's. Raises
        `SettingsError`."""
        if not settings.key_file:
            elsewhere = [f"{name}: {address!r} is not this machine's" for name, address in addresses.items() if not is_local(address)]
            if elsewhere:
                raise SettingsError("tls", (*elsewhere, "certificate_file, key_file and authority_file are needed"))
            return cls.everybodys()
        try:
            return cls(Path(settings.certificate_file), Path(settings.key_file), Path(settings.authority_file))
        except OSError as error:  # ssl's own errors are OSErrors too, and their words are about the file
            raise SettingsError("tls", (f"the files can't be used: {error.strerror or error}",)) from None

    @classmethod
    def everybodys(cls) -> Self:
        """Those that anybody on this machine can have."""
        with tempfile.TemporaryDirectory(prefix="metip-tls-") as name:
            folder = Path(name)
            write_certificates(folder, _key("metip: known to everybody"), "localhost")
            return cls(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")

    def refresh(self) -> None:
        """Shows a new certificate from the next connection on, when its file has changed; a file that is gone or half written changes
        nothing."""
        try:
            changed = self._stamp()
            if changed != self._changed:
                self._load()
                self._changed = changed
        except OSError:
            return

    def _stamp(self) -> tuple[float, ...]:
        return tuple(path.stat().st_mtime for path in self._files)

    def _load(self) -> None:
        for context in (self.client, self.server):
            context.load_cert_chain(*self._files)


def is_local(address: str) -> bool:
    """Whether `host:port` or a URL is this machine's own address."""
    host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def names_in(certificate: Mapping[str, object] | None) -> frozenset[str]:
    """DNS names of a peer's certificate, as `ssl` gives it."""
    found = (certificate or {}).get("subjectAltName", ())
    assert isinstance(found, tuple)
    return frozenset(value for kind, value in found if kind == "DNS")


def write_certificates(folder: Path, authority_key: ec.EllipticCurvePrivateKey, name: str) -> None:
    """Writes `ca.pem`, and `cert.pem` and `key.pem` of somebody of that DNS name on this machine's addresses, whom it signed."""
    now = datetime.now(UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "metip test authority")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: tuple[x509.ExtensionType, bool]) -> bytes:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + VALID_FOR)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    signing = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    root = certificate(issuer, authority_key, (x509.BasicConstraints(ca=True, path_length=0), True), (signing, True), (identifier, False))
    own = ec.generate_private_key(ec.SECP256R1())
    addresses = [x509.IPAddress(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::1")]
    leaf = certificate(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        own,
        (x509.SubjectAlternativeName([x509.DNSName(name), *addresses]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False),
    )
    secret = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for path, data in (("ca.pem", root), ("cert.pem", leaf), ("key.pem", secret)):
        (folder / path).touch(mode=0o600)
        (folder / path).write_bytes(data)


def _key(words: str) -> ec.EllipticCurvePrivateKey:
    """A key that follows from words, and is therefore no secret."""
    return ec.derive_private_key(int.from_bytes(sha256(words.encode()).digest()[:31], "big"), ec.SECP256R1())
