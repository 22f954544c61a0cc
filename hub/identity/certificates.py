"""Workload certificates: issuing one into the store, reading one's facts, and when it is time for the next."""

import ipaddress
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from hub.identity.authority import new_key, sign_leaf, subject_names, uri_names
from hub.identity.faults import IdentityError, Reason, refusal
from hub.identity.spiffe import SpiffeId, parse_workload_id
from hub.identity.store import Store, read_certificates, read_key

DEFAULT_LIFETIME = timedelta(days=30)


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate just written. Times are UTC; `serial` is hexadecimal, as `openssl x509 -serial` prints it."""

    name: str
    spiffe_id: str
    certificate_path: Path
    key_path: Path
    not_before: datetime
    not_after: datetime
    serial: str


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says of itself, unverified. `spiffe_ids` are all its URI names: a good leaf has exactly one.

    Times are UTC; `serial` is hexadecimal; `days_left` counts whole days, negative once it has expired.
    """

    spiffe_ids: tuple[str, ...]
    dns: tuple[str, ...]
    addresses: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    serial: str
    issuer: str
    days_left: int


def issue(
    store: Store,
    spiffe_id: str,
    *,
    name: str | None = None,
    lifetime: timedelta = DEFAULT_LIFETIME,
    dns: Sequence[str] = (),
    addresses: Sequence[str] = (),
    new_key_too: bool = False,
    now: datetime | None = None,
) -> IssuedCertificate:
    """Sign a leaf for `spiffe_id` and put it, with its key, into the store's folder `name`.

    Without a name the folder is called after the id's path, with hyphens for slashes.
    Issuing again replaces the certificate in one rename and keeps the key, so that a proxy which reloads at that
    moment never sees a certificate with another's key; `new_key_too` changes the key as well, for one that may have
    leaked. The store must have been ensured. Raises IdentityError: INVALID_*, WRONG_TRUST_DOMAIN, NAME_TAKEN,
    MISSING, EXPOSED, AUTHORITY_UNUSABLE.
    """
    wanted = parse_workload_id(spiffe_id)
    name = name if name is not None else default_name(wanted)
    store.folder(name)
    if not store.ca_certificate.exists() or not store.ca_key.exists():
        raise refusal(
            Reason.MISSING,
            f"{store.directory} holds no authority that can sign",
            "let whoever supplied ca.pem issue it, or give a --home of your own",
        )
    with store.exclusive():
        _refuse_a_taken_name(store, name, wanted)
        fresh = new_key_too or not store.key(name).exists()
        key = new_key() if fresh else read_key(store.key(name))
        certificate = sign_leaf(
            store.authority(),
            wanted,
            key.public_key(),
            now=now or datetime.now(UTC),
            lifetime=lifetime,
            dns=dns,
            addresses=addresses,
        )
        if fresh:
            store.write_key(name, key)
        store.write_certificate(name, certificate)
    return IssuedCertificate(
        name=name,
        spiffe_id=str(wanted),
        certificate_path=store.certificate(name),
        key_path=store.key(name),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=_hexadecimal(certificate),
    )


def renew(store: Store, name: str, *, lifetime: timedelta = DEFAULT_LIFETIME, now: datetime | None = None) -> IssuedCertificate:
    """Issue `name` again with the SPIFFE id, hosts and addresses it has. Raises IdentityError as `issue` does."""
    certificate = read_certificates(store.certificate(name))[0]
    facts = facts_of(certificate, now or datetime.now(UTC))
    if len(facts.spiffe_ids) != 1:
        raise refusal(
            Reason.SEVERAL_SPIFFE_IDS if facts.spiffe_ids else Reason.NO_SPIFFE_ID,
            f"{store.certificate(name)} has {len(facts.spiffe_ids)} URI names instead of one",
            f"delete {shlex.quote(str(store.folder(name)))} and issue it anew",
        )
    return issue(
        store,
        facts.spiffe_ids[0],
        name=name,
        lifetime=lifetime,
        dns=facts.dns,
        addresses=facts.addresses,
        now=now,
    )


def needs_renewal(facts: CertificateFacts, now: datetime) -> bool:
    """Say whether half of the lifetime is over: early enough that a failed renewal can be tried many times."""
    return now >= facts.not_before + (facts.not_after - facts.not_before) / 2


def describe(path: Path, now: datetime | None = None) -> CertificateFacts:
    """Return the facts of the first certificate in a file. Raises IdentityError MISSING or UNREADABLE."""
    return facts_of(read_certificates(path)[0], now or datetime.now(UTC))


def facts_of(certificate: x509.Certificate, now: datetime) -> CertificateFacts:
    """Return what `certificate` says of itself."""
    names = subject_names(certificate)
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address | ipaddress.IPv4Network | ipaddress.IPv6Network]
    addresses = list(names.get_values_for_type(x509.IPAddress))
    return CertificateFacts(
        spiffe_ids=uri_names(certificate),
        dns=tuple(names.get_values_for_type(x509.DNSName)),
        addresses=tuple(str(address) for address in addresses),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=_hexadecimal(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        days_left=(certificate.not_valid_after_utc - now).days,
    )


def issue_command(facts: CertificateFacts, name: str) -> str:
    """Return the command line that issues such a certificate again."""
    words = ["metip", "identity", "issue", facts.spiffe_ids[0] if len(facts.spiffe_ids) == 1 else "<SPIFFE id>"]
    words += ["--name", name]
    for host in facts.dns:
        words += ["--dns", host]
    for address in facts.addresses:
        words += ["--address", address]
    # A stranger's certificate may hold anything; what a terminal would obey isn't repeated.
    return shlex.join(word if word.isprintable() else "?" for word in words)


def default_name(spiffe_id: SpiffeId) -> str:
    """Return the folder name of a workload: its path with hyphens for slashes."""
    return "-".join(spiffe_id.segments)


def _refuse_a_taken_name(store: Store, name: str, wanted: SpiffeId) -> None:
    try:
        here = describe(store.certificate(name)).spiffe_ids
    except IdentityError as error:
        if error.fault.reason in (Reason.MISSING, Reason.UNREADABLE):
            return  # nothing that works is lost by issuing here
        raise
    if here and here != (str(wanted),):
        raise refusal(
            Reason.NAME_TAKEN,
            f"the name {name} belongs to {', '.join(here)}",
            f"give another --name for {wanted}, or delete {shlex.quote(str(store.folder(name)))}",
        )


def _hexadecimal(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:X}"
