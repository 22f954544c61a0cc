"""Inspection: every fault of a certificate, a key and a store is found, named and comes with its cure."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hostile_certificates import CERTIFICATES, ground_of, hostile_certificate

from hub.identity import Fault, Reason, Severity, Store, faults_of, issue, store_faults
from hub.identity.authority import AUTHORITY_LIFETIME
from hub.identity.lasting import warn_within

EDGE = "spiffe://metip.local/edge"
VICTIM = "spiffe://metip.local/consumer/tablet"

# A name that is well formed and only somebody else's is no fault of the file: the allow-list decides.
SOUND_FILES = {"wrong_path", "name_with_a_suffix", "name_with_a_segment_more", "name_cut_short", "path_in_capitals"}
EXPECTED = {
    "self_signed": {Reason.WRONG_AUTHORITY},
    "other_authority": {Reason.WRONG_AUTHORITY, Reason.EXTRA_CERTIFICATES},
    "other_authority_with_huge_chain": {Reason.WRONG_AUTHORITY, Reason.EXTRA_CERTIFICATES},
    "signed_by_a_workload": {Reason.WRONG_AUTHORITY, Reason.EXTRA_CERTIFICATES},
    "edited_after_signing": {Reason.WRONG_AUTHORITY, Reason.INVALID_SPIFFE_ID},
    "expired": {Reason.EXPIRED},
    "not_yet_valid": {Reason.NOT_YET_VALID},
    "usage_server_only": {Reason.WRONG_USAGE},
    "usage_code_signing": {Reason.WRONG_USAGE},
    "authority_as_leaf": {Reason.IS_AUTHORITY, Reason.WRONG_USAGE},
    "two_uris_victim_first": {Reason.SEVERAL_SPIFFE_IDS},
    "two_uris_victim_last": {Reason.SEVERAL_SPIFFE_IDS},
    "uri_beside_another_scheme": {Reason.SEVERAL_SPIFFE_IDS, Reason.INVALID_SPIFFE_ID},
    "no_names": {Reason.NO_SPIFFE_ID},
    "dns_name_only": {Reason.NO_SPIFFE_ID},
    "spiffe_id_as_dns_name": {Reason.NO_SPIFFE_ID},
    "spiffe_id_as_common_name": {Reason.NO_SPIFFE_ID},
    "wrong_trust_domain": {Reason.WRONG_TRUST_DOMAIN},
    "trust_domain_with_a_prefix": {Reason.WRONG_TRUST_DOMAIN},
    "trust_domain_with_a_suffix": {Reason.WRONG_TRUST_DOMAIN},
    "trust_domain_with_a_dot": {Reason.WRONG_TRUST_DOMAIN},
    **{case: set() for case in SOUND_FILES},
}


def _edge_faults(store: Store, now: datetime, within: timedelta | None = None) -> tuple[Fault, ...]:
    return faults_of(store.certificate("edge"), store.key("edge"), store.ca_certificate, now, within=within)


@pytest.mark.parametrize("case", CERTIFICATES)
def test_every_hostile_certificate_is_found_out(store: Store, tmp_path: Path, now: datetime, case: str) -> None:
    paths = hostile_certificate(case, ground_of(store.authority(), VICTIM, now)).write(tmp_path / "hostile")
    faults = faults_of(*paths, store.ca_certificate, now, within=timedelta(0))
    assert {fault.reason for fault in faults} == EXPECTED.get(case, {Reason.INVALID_SPIFFE_ID})
    assert all(fault.problem and fault.fix and str(fault).isprintable() for fault in faults)


TIMES = {
    # since issue (30 days), the faults
    "six_minutes_before": (-timedelta(minutes=6), [Reason.NOT_YET_VALID]),
    "five_minutes_before": (-timedelta(minutes=5), []),
    "at_once": (timedelta(0), []),
    # It is valid from five minutes before its issue, a third of which is 100 s.
    "a_third_left": (timedelta(days=20, seconds=-100), []),
    "a_second_less": (timedelta(days=20, seconds=-99), [Reason.EXPIRES_SOON]),
    "one_second_left": (timedelta(days=30, seconds=-1), [Reason.EXPIRES_SOON]),
    "at_the_end": (timedelta(days=30), [Reason.EXPIRED]),
    "a_year_later": (timedelta(days=395), [Reason.EXPIRED]),
}


@pytest.mark.parametrize(("since", "expected"), TIMES.values(), ids=TIMES)
def test_a_certificates_time(store: Store, now: datetime, since: timedelta, expected: list[Reason]) -> None:
    issue(store, EDGE, now=now)
    # The authority is as old as the leaf; six minutes before, it isn't valid either.
    faults = [fault for fault in _edge_faults(store, now + since) if fault.reason is not Reason.AUTHORITY_UNUSABLE]
    assert [fault.reason for fault in faults] == expected
    assert [fault.severity is Severity.WARNING for fault in faults] == [reason is Reason.EXPIRES_SOON for reason in expected]


def test_the_cure_of_an_expired_certificate_is_the_command_that_issues_it_again(store: Store, now: datetime) -> None:
    issue(store, EDGE, dns=("localhost",), addresses=("127.0.0.1",), now=now)
    (fault,) = _edge_faults(store, now + timedelta(days=31))
    assert fault.fix == f"run: metip identity issue {EDGE} --name edge --dns localhost --address 127.0.0.1"


def test_all_faults_come_at_once(store: Store, tmp_path: Path, now: datetime) -> None:
    other = Store(tmp_path / "other")
    other.ensure(now=now)
    issue(store, EDGE, now=now)
    issue(other, EDGE, now=now)
    store.key("edge").write_bytes(other.key("edge").read_bytes())
    store.key("edge").parent.chmod(0o770)
    faults = faults_of(store.certificate("edge"), store.key("edge"), other.ca_certificate, now + timedelta(days=31))
    assert [fault.reason for fault in faults] == [
        Reason.EXPOSED,
        Reason.KEY_MISMATCH,
        Reason.WRONG_AUTHORITY,
        Reason.EXPIRED,
    ]


def test_a_key_open_to_others_is_a_fault_with_the_command_that_closes_it(store: Store, now: datetime) -> None:
    issue(store, EDGE, now=now)
    store.key("edge").chmod(0o640)
    (fault,) = _edge_faults(store, now)
    assert (fault.reason, fault.fix) == (Reason.EXPOSED, f"run: chmod 600 {store.key('edge')}")


def test_missing_files_are_each_reported(store: Store, now: datetime) -> None:
    assert [fault.reason for fault in _edge_faults(store, now)] == [Reason.MISSING, Reason.MISSING]
    missing = Path("nowhere")
    faults = faults_of(missing / "cert.pem", missing / "key.pem", missing / "ca.pem", now)
    assert [fault.reason for fault in faults] == [Reason.MISSING] * 3


def _rsa_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _encrypted_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )


def _other_curve() -> bytes:
    return ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


GARBAGE = {
    "empty": lambda: b"",
    "words": lambda: b"this is no key",
    "broken_pem": lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "rsa": _rsa_key,
    "encrypted": _encrypted_key,
    "other_curve": _other_curve,
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_a_file_that_is_no_key_is_unreadable_and_isnt_repeated(store: Store, now: datetime, content: object) -> None:
    issue(store, EDGE, now=now)
    assert callable(content)
    text = content()
    store.key("edge").write_bytes(text)
    (fault,) = _edge_faults(store, now)
    assert fault.reason is Reason.UNREADABLE
    assert all(line.decode() not in str(fault) for line in text.splitlines() if line)


@pytest.mark.parametrize("content", [b"", b"words", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_that_is_no_certificate_is_unreadable(store: Store, now: datetime, content: bytes) -> None:
    issue(store, EDGE, now=now)
    store.certificate("edge").write_bytes(content)
    assert [fault.reason for fault in _edge_faults(store, now)] == [Reason.UNREADABLE]


def test_a_bundle_of_authorities_is_searched_for_the_signer(store: Store, tmp_path: Path, now: datetime) -> None:
    other = Store(tmp_path / "other")
    other.ensure(trust_domain="metip.example", now=now)
    issue(store, EDGE, now=now)
    store.ca_certificate.write_bytes(other.ca_certificate.read_bytes() + store.ca_certificate.read_bytes())
    assert _edge_faults(store, now) == ()
    assert store_faults(store, now) == ()


def test_an_authority_that_ends_is_reported_with_the_leaf_and_with_the_store(store: Store, now: datetime) -> None:
    issue(store, EDGE, now=now)
    for moment, reason in (
        (now + AUTHORITY_LIFETIME - timedelta(days=29), Reason.EXPIRES_SOON),
        (now + AUTHORITY_LIFETIME, Reason.AUTHORITY_UNUSABLE),
        (now - timedelta(hours=1), Reason.AUTHORITY_UNUSABLE),
    ):
        assert reason in [fault.reason for fault in _edge_faults(store, moment)]
        assert [fault.reason for fault in store_faults(store, moment)] == [reason]


def test_a_stores_faults_are_found(store: Store, tmp_path: Path, now: datetime) -> None:
    other = Store(tmp_path / "other")
    other.ensure()
    store.directory.chmod(0o777)
    store.ca_key.chmod(0o604)
    store.jwks.write_bytes(other.jwks.read_bytes())
    faults = store_faults(store, now)
    assert [fault.reason for fault in faults] == [Reason.EXPOSED, Reason.EXPOSED, Reason.KEY_MISMATCH]
    assert [fault.fix.split()[0:3] for fault in faults[:2]] == [["run:", "chmod", "700"], ["run:", "chmod", "600"]]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [1]}', '{"keys": []}', '{"keys": [{"kty": "RSA", "kid": "a"}]}'])
def test_a_key_set_without_a_usable_key_is_a_fault(store: Store, now: datetime, content: str) -> None:
    store.jwks.write_text(content)
    store.token_issuer_key.unlink()
    assert [fault.reason for fault in store_faults(store, now)] == [Reason.UNREADABLE]


def test_an_empty_home_is_reported_and_not_made(tmp_path: Path, now: datetime) -> None:
    store = Store(tmp_path / "identity")
    assert [fault.reason for fault in store_faults(store, now)] == [Reason.MISSING, Reason.MISSING]
    assert not store.directory.exists()


LIVES = {
    "a year": (timedelta(days=365), timedelta(days=30)),
    "ninety days": (timedelta(days=90), timedelta(days=30)),
    "thirty days": (timedelta(days=30), timedelta(days=10)),
    "a day": (timedelta(days=1), timedelta(hours=8)),
}


@pytest.mark.parametrize(("life", "ahead"), LIVES.values(), ids=LIVES)
def test_a_certificate_is_warned_of_thirty_days_ahead_or_in_the_last_third_of_a_shorter_life(
    now: datetime, life: timedelta, ahead: timedelta
) -> None:
    assert warn_within(now, now + life) == ahead
