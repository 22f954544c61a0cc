"""The laptop's certificate authority: one self-signed root, and the leaves it signs (no files here).

A leaf follows the X509-SVID standard, sections 2 to 4: exactly one URI name, which is the SPIFFE id, beside any DNS
names and addresses; digitalSignature and nothing else; both extended usages; never an authority. The root may sign
leaves only (pathlen 0). Production brings its own authority; nothing in the mesh depends on this one.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.identity.faults import IdentityError, Reason, refusal
from hub.identity.spiffe import SpiffeId, check_trust_domain, parse_spiffe_id

AUTHORITY_LIFETIME = timedelta(days=730)
MAX_LEAF_LIFETIME = timedelta(days=90)
BACK_DATING = timedelta(minutes=5)  # a machine whose clock is a little behind ours must accept what we just signed

# RFC 1123 host name in lower case; no wildcard, because a workload's certificate names one workload.
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True)
class Authority:
    """A root certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a fresh EC P-256 key, the one kind this package makes (TLS and ES256 both use it)."""
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(trust_domain: str, *, now: datetime, key: ec.EllipticCurvePrivateKey | None = None) -> Authority:
    """Return a root for `trust_domain`, valid AUTHORITY_LIFETIME from `now`.

    With an earlier root's `key` the leaves of that root stay valid under the new one.
    Raises IdentityError INVALID_SPIFFE_ID.
    """
    key = key or new_key()
    name = _subject("MetIP development authority")
    start = now.replace(microsecond=0)
    uri = x509.UniformResourceIdentifier(str(SpiffeId(check_trust_domain(trust_domain))))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - BACK_DATING)
        .not_valid_after(start + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def sign_leaf(
    authority: Authority,
    spiffe_id: SpiffeId,
    public_key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    lifetime: timedelta,
    dns: Sequence[str] = (),
    addresses: Sequence[str] = (),
) -> x509.Certificate:
    """Return the leaf for `spiffe_id`, valid from BACK_DATING before `now`; it never outlives its authority.

    Raises IdentityError WRONG_TRUST_DOMAIN, INVALID_LIFETIME, INVALID_HOST or AUTHORITY_UNUSABLE.
    """
    trust_domain = trust_domain_of(authority.certificate)
    if spiffe_id.trust_domain != trust_domain:
        raise refusal(
            Reason.WRONG_TRUST_DOMAIN,
            f"{spiffe_id} isn't in this authority's trust domain {trust_domain}",
            f"ask for spiffe://{trust_domain}/…, or use the authority of {spiffe_id.trust_domain}",
        )
    if not timedelta(seconds=1) <= lifetime <= MAX_LEAF_LIFETIME:
        raise refusal(
            Reason.INVALID_LIFETIME,
            f"a certificate can't be valid for {lifetime}",
            f"ask for one second to {MAX_LEAF_LIFETIME.days} days",
        )
    if authority.certificate.not_valid_after_utc <= now:
        raise refusal(
            Reason.AUTHORITY_UNUSABLE,
            f"the authority expired at {authority.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
            "delete its ca.pem (a new one is made for the same key at the next issue) and restart the mesh",
        )
    start = now.replace(microsecond=0)
    names = [
        x509.UniformResourceIdentifier(str(spiffe_id)),
        *(x509.DNSName(_host(name)) for name in dns),
        *(x509.IPAddress(_address(address)) for address in addresses),
    ]
    return (
        x509.CertificateBuilder()
        # No common name: it would be a second name of the workload, and some verifiers still believe it.
        .subject_name(_subject("MetIP development identity"))
        .issuer_name(authority.certificate.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - BACK_DATING)
        .not_valid_after(min(start + lifetime, authority.certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def uri_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return every URI name of a certificate, SPIFFE id or not, in its order."""
    return tuple(subject_names(certificate).get_values_for_type(x509.UniformResourceIdentifier))


def subject_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    """Return the certificate's alternative names, empty where it has none."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def trust_domain_of(certificate: x509.Certificate) -> str:
    """Return the trust domain an authority's certificate names; raises IdentityError AUTHORITY_UNUSABLE."""
    names = uri_names(certificate)
    try:
        (name,) = names
        spiffe_id = parse_spiffe_id(name)
    except (ValueError, IdentityError):
        spiffe_id = None
    if spiffe_id is None or spiffe_id.segments:
        raise refusal(
            Reason.AUTHORITY_UNUSABLE,
            f"the authority's certificate doesn't name one trust domain (it has {len(names)} URI names)",
            "its URI name must be spiffe://<trust domain> and nothing more",
        )
    return spiffe_id.trust_domain


def _subject(organisation: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise refusal(Reason.INVALID_HOST, f"{name!r} isn't a host name", "write it in lower case, without a wildcard")
    return name


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise refusal(Reason.INVALID_HOST, f"{text!r} isn't an address", "write it as 127.0.0.1 or ::1") from error
