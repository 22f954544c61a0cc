"""Keys and certificates: those that a far system knows us by, and those made here and now, for this machine's own addresses only."""

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from adapters.kit.tls import is_local

RSA_BITS = 2048
LIFETIME = timedelta(days=30)
SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An RSA key and its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def server_context(self) -> ssl.SSLContext:
        """What a server needs to speak TLS under this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.NamedTemporaryFile(prefix="metip-", suffix=".pem") as file:  # its mode is 0600, and it is gone at once
            file.write(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.write(self.certificate.public_bytes(Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def read_pair(key_file: str, certificate_file: str) -> KeyPair:
    """A pair of PEM files. Raises `OSError`, and `ValueError` for what is no RSA key with its certificate."""
    key = load_pem_private_key(Path(key_file).read_bytes(), password=None)
    certificate = x509.load_pem_x509_certificate(Path(certificate_file).read_bytes())
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("is no RSA key")
    if certificate.public_key() != key.public_key():
        raise ValueError("is not the key of the certificate")
    return KeyPair(key, certificate)


@cache
def self_signed() -> KeyPair:
    """A pair made for this process, for `localhost` and 127.0.0.1; nobody vouches for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return KeyPair(key, builder.sign(key, hashes.SHA256()))


def client_context(url: str, authority_file: str) -> ssl.SSLContext:
    """Whom a client trusts: the authorities in the file; without one this machine's, and at its own addresses anybody.

    Raises `OSError` and `ssl.SSLError` for a file that holds no authorities.
    """
    context = ssl.create_default_context(cafile=authority_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not authority_file and is_local(url):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
