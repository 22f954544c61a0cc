"""Inspecting identity files: every fault of a certificate, its key and its authority at once, each with its cure.

Used by `metip check` and `metip identity check`, also on files that production supplies; so nothing here raises for a
bad file, and nothing is written.
"""

import shlex
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.identity import jwks
from hub.identity.authority import trust_domain_of
from hub.identity.certificates import CertificateFacts, facts_of, issue_command
from hub.identity.faults import Fault, IdentityError, Reason, Severity
from hub.identity.lasting import warn_within
from hub.identity.private_files import read_public
from hub.identity.spiffe import parse_workload_id
from hub.identity.store import Store, read_certificates, read_key

AUTHORITY_WARN_WITHIN = timedelta(days=30)  # longer, because a new authority has to reach every verifier


def faults_of(cert_path: Path, key_path: Path, ca_path: Path, now: datetime, *, within: timedelta | None = None) -> tuple[Fault, ...]:
    """Return everything wrong with a workload's certificate and key under the authorities of `ca_path`.

    A certificate that ends within `within` (by default: see `hub.identity.lasting`) is a WARNING, anything else an ERROR.
    """
    name = cert_path.parent.name
    faults: list[Fault] = []
    certificates = _readable_certificates(cert_path, faults)
    authorities = _readable_certificates(ca_path, faults)
    faults += _folder_faults(key_path.parent)
    key_public = None
    try:
        key_public = read_key(key_path).public_key()
    except IdentityError as error:
        faults.append(error.fault)
    if not certificates:
        return tuple(faults)
    leaf = certificates[0]
    facts = facts_of(leaf, now)
    again = f"run: {issue_command(facts, name)}"
    if len(certificates) > 1:
        faults.append(
            Fault(
                Reason.EXTRA_CERTIFICATES,
                f"{cert_path} holds {len(certificates)} certificates instead of the leaf alone",
                f"keep the first in it and put the authorities into {ca_path}",
            )
        )
    if key_public is not None and key_public != leaf.public_key():
        faults.append(Fault(Reason.KEY_MISMATCH, f"{key_path} isn't the key of {cert_path}", again))
    signer = next((authority for authority in authorities if _signed_by(leaf, authority)), None)
    if signer is not None:
        faults += _authority_validity_faults(signer, ca_path, now)
    elif authorities:
        faults.append(Fault(Reason.WRONG_AUTHORITY, f"{cert_path} wasn't signed by any authority in {ca_path}", again))
    faults += _validity_faults(facts, cert_path, now, within, again)
    faults += _name_faults(facts, cert_path, signer, again)
    faults += _usage_faults(leaf, cert_path, again)
    return tuple(faults)


def store_faults(store: Store, now: datetime) -> tuple[Fault, ...]:
    """Return everything wrong with the store's authority and token issuer; the workloads are `faults_of`'s."""
    faults: list[Fault] = [*_folder_faults(store.directory)]
    for certificate in _readable_certificates(store.ca_certificate, faults):
        faults += _authority_validity_faults(certificate, store.ca_certificate, now)
    if store.ca_key.exists():
        try:
            store.authority()
        except IdentityError as error:
            _add_once(faults, error.fault)
    return (*faults, *_token_issuer_faults(store))


def _readable_certificates(path: Path, faults: list[Fault]) -> tuple[x509.Certificate, ...]:
    try:
        return read_certificates(path)
    except IdentityError as error:
        faults.append(error.fault)
        return ()


def _token_issuer_faults(store: Store) -> Iterator[Fault]:
    again = f"delete {shlex.quote(str(store.jwks))}; it is made again at the next issue"
    try:
        published = jwks.public_keys(read_public(store.jwks))
    except IdentityError as error:
        yield error.fault
        return
    except ValueError as error:
        yield Fault(Reason.UNREADABLE, f"{store.jwks} isn't a key set ({error})", again)
        return
    if not published:
        yield Fault(Reason.UNREADABLE, f"{store.jwks} holds no ES256 key", "add the issuer's public key")
    if not store.token_issuer_key.exists():
        return  # production's issuer is elsewhere
    try:
        issuing = jwks.key_id(read_key(store.token_issuer_key).public_key())
    except IdentityError as error:
        yield error.fault
        return
    if issuing not in published:
        yield Fault(Reason.KEY_MISMATCH, f"{store.jwks} doesn't hold the key of {store.token_issuer_key}", again)


def _folder_faults(folder: Path) -> Iterator[Fault]:
    # Whoever may write the folder may swap the key, whatever the key's own mode is.
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return  # the files in it are reported missing
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Fault(
            Reason.EXPOSED,
            f"{folder} can be changed by other users (mode {mode:04o})",
            f"run: chmod 700 {shlex.quote(str(folder))}",
        )


def _validity_faults(facts: CertificateFacts, path: Path, now: datetime, within: timedelta | None, again: str) -> Iterator[Fault]:
    if now < facts.not_before:
        yield Fault(
            Reason.NOT_YET_VALID,
            f"{path} is valid only from {facts.not_before:%Y-%m-%d %H:%M} UTC",
            f"set this machine's clock right, or {again}",
        )
    elif now >= facts.not_after:
        yield Fault(Reason.EXPIRED, f"{path} expired at {facts.not_after:%Y-%m-%d %H:%M} UTC", again)
    elif facts.not_after - now < (warn_within(facts.not_before, facts.not_after) if within is None else within):
        yield Fault(
            Reason.EXPIRES_SOON,
            f"{path} expires at {facts.not_after:%Y-%m-%d %H:%M} UTC ({facts.days_left} days left)",
            again,
            Severity.WARNING,
        )


def _name_faults(facts: CertificateFacts, path: Path, signer: x509.Certificate | None, again: str) -> Iterator[Fault]:
    if not facts.spiffe_ids:
        yield Fault(Reason.NO_SPIFFE_ID, f"{path} has no URI name, so nobody knows whose it is", again)
    if len(facts.spiffe_ids) > 1:
        # X509-SVID section 5.2: must be rejected. An ordinary proxy accepts it and matches either name.
        yield Fault(Reason.SEVERAL_SPIFFE_IDS, f"{path} has {len(facts.spiffe_ids)} URI names, not exactly one", again)
    try:
        trust_domain = trust_domain_of(signer) if signer is not None else None
    except IdentityError:
        trust_domain = None  # an ordinary authority, which names no trust domain, vouches for whatever it signed
    for text in facts.spiffe_ids:
        try:
            spiffe_id = parse_workload_id(text)
        except IdentityError as error:
            yield Fault(error.fault.reason, f"{path}: {error.fault.problem}", error.fault.fix)
            continue
        if trust_domain is not None and spiffe_id.trust_domain != trust_domain:
            yield Fault(
                Reason.WRONG_TRUST_DOMAIN,
                f"{path} is of trust domain {spiffe_id.trust_domain}, its authority is of {trust_domain}",
                "have it issued by the authority of its own trust domain",
            )


def _usage_faults(leaf: x509.Certificate, path: Path, again: str) -> Iterator[Fault]:
    try:
        constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
        if constraints.ca:
            yield Fault(Reason.IS_AUTHORITY, f"{path} is an authority's certificate, not a workload's", again)
    except x509.ExtensionNotFound:
        pass  # absent means "not an authority" (RFC 5280, 4.2.1.9)
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        sound = usage.digital_signature and not (usage.key_cert_sign or usage.crl_sign)
    except x509.ExtensionNotFound:
        sound = False
    if not sound:
        yield Fault(Reason.WRONG_USAGE, f"{path} isn't for digital signatures alone (key usage)", again)
    try:
        extended = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return  # X509-SVID section 4.4: should be there, needn't
    missing = {ExtendedKeyUsageOID.CLIENT_AUTH: "clients", ExtendedKeyUsageOID.SERVER_AUTH: "servers"}
    for oid, whom in missing.items():
        if oid not in extended:
            yield Fault(Reason.WRONG_USAGE, f"{path} isn't for TLS {whom} (extended key usage)", again)


def _authority_validity_faults(authority: x509.Certificate, path: Path, now: datetime) -> Iterator[Fault]:
    until = authority.not_valid_after_utc
    fix = "get a new authority to every verifier; on a laptop delete ca.pem, it is made again at the next issue"
    if now < authority.not_valid_before_utc:
        yield Fault(
            Reason.AUTHORITY_UNUSABLE,
            f"the authority in {path} is valid only from {authority.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            "set this machine's clock right",
        )
    elif now >= until:
        yield Fault(Reason.AUTHORITY_UNUSABLE, f"the authority in {path} expired at {until:%Y-%m-%d %H:%M} UTC", fix)
    elif until - now < AUTHORITY_WARN_WITHIN:
        yield Fault(Reason.EXPIRES_SOON, f"the authority in {path} expires at {until:%Y-%m-%d %H:%M} UTC", fix, Severity.WARNING)


def _signed_by(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    try:
        return bool(authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _add_once(faults: list[Fault], fault: Fault) -> None:
    if fault not in faults:
        faults.append(fault)
