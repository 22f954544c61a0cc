"""Certificates that must be refused, each wrong in exactly one way, made against a mesh's own authority.

`CERTIFICATES` is the matrix; parametrise a test with its keys and build each case with `hostile_certificate`. `stage` says
who has to refuse it: HANDSHAKE is what every TLS library does by itself, IDENTITY is what only we can do, because the chain is
sound and the name is the lie. Tokens are in `hostile_tokens`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from hub.identity.authority import Authority, new_authority, new_key, sign_leaf
from hub.identity.spiffe import parse_workload_id


class Stage(StrEnum):
    """Where a hostile certificate has to be stopped."""

    HANDSHAKE = "HANDSHAKE"
    IDENTITY = "IDENTITY"


class Signer(StrEnum):
    """Who signs: the mesh's authority, a stranger's of the same name, the certificate itself, or a mere workload of the mesh."""

    MESH = "MESH"
    STRANGER = "STRANGER"
    ITSELF = "ITSELF"
    WORKLOAD = "WORKLOAD"


@dataclass(frozen=True)
class Ground:
    """What hostile certificates are made from. `victim` is the SPIFFE id of a workload that would be let in."""

    authority: Authority = field(repr=False)
    victim: str
    now: datetime


@dataclass(frozen=True)
class HostileCertificate:
    """A certificate chain (leaf first) and its key in PEM; the key fits, so a client can present it."""

    case: str
    stage: Stage
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write cert.pem and key.pem into `folder` and return their paths."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths = folder / "cert.pem", folder / "key.pem"
        for path, content in zip(paths, (self.chain, self.key), strict=True):
            path.write_bytes(content)
            path.chmod(0o600)
        return paths


Names = Callable[[str], Sequence[str]]
BOTH = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
HOUR = timedelta(hours=1)


def _the_victim(victim: str) -> Sequence[str]:
    return (victim,)


def _nobody(_: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Forgery:
    """How one certificate departs from a good one; the defaults are a good one."""

    stage: Stage
    uris: Names = _the_victim
    dns: Names = _nobody
    common_names: Names = _nobody
    signer: Signer = Signer.MESH
    starts: timedelta = -HOUR
    ends: timedelta = HOUR
    usages: Sequence[ObjectIdentifier] = BOTH
    is_authority: bool = False
    extra_certificates: int = 0
    edited: bool = False


def _renamed(change: Callable[[str], str]) -> Forgery:
    return Forgery(Stage.IDENTITY, uris=lambda victim: (change(victim),))


def _instead_of_scheme(victim: str, scheme: str) -> str:
    return scheme + victim.removeprefix("spiffe://")


def _split(victim: str) -> tuple[str, str]:
    trust_domain, _, path = victim.removeprefix("spiffe://").partition("/")
    return trust_domain, path


def _in_trust_domain(victim: str, change: Callable[[str], str]) -> str:
    trust_domain, path = _split(victim)
    return f"spiffe://{change(trust_domain)}/{path}"


def _in_path(victim: str, change: Callable[[str], str]) -> str:
    trust_domain, path = _split(victim)
    return f"spiffe://{trust_domain}/{change(path)}"


CERTIFICATES: Mapping[str, Forgery] = {
    # The chain is wrong
    "self_signed": Forgery(Stage.HANDSHAKE, signer=Signer.ITSELF),
    "other_authority": Forgery(Stage.HANDSHAKE, signer=Signer.STRANGER),
    "other_authority_with_huge_chain": Forgery(Stage.HANDSHAKE, signer=Signer.STRANGER, extra_certificates=100),
    "signed_by_a_workload": Forgery(Stage.HANDSHAKE, signer=Signer.WORKLOAD),
    "edited_after_signing": Forgery(Stage.HANDSHAKE, edited=True),
    # The time is wrong
    "expired": Forgery(Stage.HANDSHAKE, starts=-2 * HOUR, ends=-HOUR),
    "not_yet_valid": Forgery(Stage.HANDSHAKE, starts=HOUR, ends=2 * HOUR),
    # The purpose is wrong
    "usage_server_only": Forgery(Stage.HANDSHAKE, usages=(ExtendedKeyUsageOID.SERVER_AUTH,)),
    "usage_code_signing": Forgery(Stage.HANDSHAKE, usages=(ExtendedKeyUsageOID.CODE_SIGNING,)),
    "authority_as_leaf": Forgery(Stage.IDENTITY, is_authority=True),
    # The names are too many, too few or in the wrong place
    "two_uris_victim_first": Forgery(Stage.IDENTITY, uris=lambda victim: (victim, f"{victim}-other")),
    "two_uris_victim_last": Forgery(Stage.IDENTITY, uris=lambda victim: (f"{victim}-other", victim)),
    "uri_beside_another_scheme": Forgery(Stage.IDENTITY, uris=lambda victim: (victim, "https://metip.example/")),
    "no_names": Forgery(Stage.IDENTITY, uris=_nobody),
    "dns_name_only": Forgery(Stage.IDENTITY, uris=_nobody, dns=lambda victim: (_split(victim)[0],)),
    # Envoy's principal_name falls back to the DNS names, then to the subject, where there is no URI name.
    "spiffe_id_as_dns_name": Forgery(Stage.IDENTITY, uris=_nobody, dns=_the_victim),
    "spiffe_id_as_common_name": Forgery(Stage.IDENTITY, uris=_nobody, common_names=lambda victim: (victim[:64],)),
    # The name is another's
    "wrong_trust_domain": _renamed(lambda victim: _in_trust_domain(victim, lambda _: "metip.example")),
    "wrong_path": _renamed(lambda victim: _in_path(victim, lambda _: "consumer/nobody")),
    "trust_domain_alone": _renamed(lambda victim: f"spiffe://{_split(victim)[0]}"),
    # The name is nearly the victim's
    "name_with_a_suffix": _renamed(lambda victim: f"{victim}-2"),
    "name_with_a_segment_more": _renamed(lambda victim: f"{victim}/admin"),
    "name_cut_short": _renamed(lambda victim: victim[:-1]),
    "name_with_a_prefix": _renamed(lambda victim: f"https://metip.example/{victim}"),
    "trust_domain_with_a_prefix": _renamed(lambda victim: _in_trust_domain(victim, lambda name: f"not-{name}")),
    "trust_domain_with_a_suffix": _renamed(lambda victim: _in_trust_domain(victim, lambda name: f"{name}.example")),
    "trust_domain_with_a_dot": _renamed(lambda victim: _in_trust_domain(victim, lambda name: f"{name}.")),
    "trust_domain_in_capitals": _renamed(lambda victim: _in_trust_domain(victim, str.upper)),
    "path_in_capitals": _renamed(lambda victim: _in_path(victim, str.upper)),
    "scheme_in_capitals": _renamed(lambda victim: _instead_of_scheme(victim, "SPIFFE://")),
    "scheme_https": _renamed(lambda victim: _instead_of_scheme(victim, "https://")),
    "trailing_slash": _renamed(lambda victim: f"{victim}/"),
    "doubled_slash": _renamed(lambda victim: _in_path(victim, lambda path: f"/{path}")),
    "dot_segment": _renamed(lambda victim: _in_path(victim, lambda path: f"./{path}")),
    "double_dot_segment": _renamed(lambda victim: _in_path(victim, lambda path: f"x/../{path}")),
    "percent_encoded": _renamed(lambda victim: _in_path(victim, lambda path: f"%{ord(path[0]):02x}{path[1:]}")),
    "user_in_name": _renamed(lambda victim: _in_trust_domain(victim, lambda name: f"user@{name}")),
    "port_in_name": _renamed(lambda victim: _in_trust_domain(victim, lambda name: f"{name}:443")),
    "query_in_name": _renamed(lambda victim: f"{victim}?x"),
    "fragment_in_name": _renamed(lambda victim: f"{victim}#x"),
    "trailing_space": _renamed(lambda victim: f"{victim} "),
    "trailing_newline": _renamed(lambda victim: f"{victim}\n"),
    "embedded_nul": _renamed(lambda victim: f"{victim}\0.metip.example"),
    "name_of_2049_bytes": _renamed(lambda victim: victim.ljust(2049, "x")),
}


def ground_of(authority: Authority, victim: str, now: datetime) -> Ground:
    """Return the ground for a mesh whose signing authority is at hand (`Store(...).authority()`)."""
    parse_workload_id(victim)
    return Ground(authority, victim, now)


def hostile_certificate(case: str, ground: Ground) -> HostileCertificate:
    """Build one case of `CERTIFICATES`."""
    forgery = CERTIFICATES[case]
    key = new_key()
    signer, chain = _signer(forgery.signer, ground, key)
    leaf = _sign(forgery, ground, key, signer).public_bytes(serialization.Encoding.DER)
    if forgery.edited:
        # Same length, so that the encoding stays sound and only the signature tells.
        leaf = leaf.replace(ground.victim.encode(), ground.victim[:-1].encode() + b"~")
    certificates = [x509.load_der_x509_certificate(leaf), *chain, *chain[-1:] * forgery.extra_certificates]
    return HostileCertificate(
        case,
        forgery.stage,
        b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def _signer(who: Signer, ground: Ground, own_key: ec.EllipticCurvePrivateKey) -> tuple[Authority, list[x509.Certificate]]:
    """Return the signer and the certificates that the client sends after its leaf."""
    if who is Signer.MESH:
        return ground.authority, []
    if who is Signer.ITSELF:
        return Authority(ground.authority.certificate, own_key), []
    if who is Signer.STRANGER:
        stranger = new_authority(_split(ground.victim)[0], now=ground.now)
        return stranger, [stranger.certificate]
    workload_key = new_key()
    workload = sign_leaf(ground.authority, parse_workload_id(ground.victim), workload_key.public_key(), now=ground.now, lifetime=HOUR)
    return Authority(workload, workload_key), [workload]


def _sign(forgery: Forgery, ground: Ground, key: ec.EllipticCurvePrivateKey, signer: Authority) -> x509.Certificate:
    public, start = key.public_key(), ground.now.replace(microsecond=0)
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in forgery.common_names(ground.victim)]
        or [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "MetIP development identity")]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if forgery.signer is Signer.ITSELF else signer.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start + forgery.starts)
        .not_valid_after(start + forgery.ends)
        .add_extension(x509.BasicConstraints(ca=forgery.is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=forgery.is_authority,
                crl_sign=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage(forgery.usages), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
    )
    names = [
        *(x509.UniformResourceIdentifier(name) for name in forgery.uris(ground.victim)),
        *(x509.DNSName(name) for name in forgery.dns(ground.victim)),
    ]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer.key, hashes.SHA256())
