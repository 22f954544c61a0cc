"""Issuing certificates: what is in a leaf, what is refused, when it is renewed, and what becomes of the key."""

import fcntl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.identity import (
    CertificateFacts,
    IdentityError,
    Reason,
    Store,
    certificates,
    describe,
    faults_of,
    issue,
    needs_renewal,
    renew,
)
from hub.identity.authority import AUTHORITY_LIFETIME
from hub.identity.store import read_certificates, read_key

EDGE = "spiffe://metip.local/edge"


def test_a_leaf_has_one_uri_name_and_may_do_no_more_than_tls(store: Store, now: datetime) -> None:
    issued = issue(store, EDGE, dns=("localhost",), addresses=("127.0.0.1", "::1"), now=now)
    (leaf,) = read_certificates(issued.certificate_path)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [EDGE]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value == x509.KeyUsage(True, *[False] * 8)
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(extended) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert not leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME), "a common name would be a second name"


def test_the_authority_may_sign_leaves_only_and_names_its_trust_domain(store: Store) -> None:
    (authority,) = store.authorities()
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    names = authority.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier("spiffe://metip.local")]


def test_a_leaf_is_valid_from_five_minutes_ago_for_its_lifetime(store: Store, now: datetime) -> None:
    issued = issue(store, EDGE, lifetime=timedelta(hours=2), now=now)
    assert (issued.not_before, issued.not_after) == (now - timedelta(minutes=5), now + timedelta(hours=2))


def test_a_leaf_never_outlives_its_authority(store: Store, now: datetime) -> None:
    end = now + AUTHORITY_LIFETIME
    assert issue(store, EDGE, now=end - timedelta(days=1)).not_after == end
    with pytest.raises(IdentityError) as refused:
        issue(store, EDGE, now=end)
    assert refused.value.fault.reason is Reason.AUTHORITY_UNUSABLE


def test_the_facts_are_those_of_the_file(store: Store, now: datetime) -> None:
    issued = issue(store, EDGE, dns=("localhost",), addresses=("127.0.0.1",), now=now)
    (leaf,) = read_certificates(issued.certificate_path)
    assert describe(issued.certificate_path, now) == CertificateFacts(
        spiffe_ids=(EDGE,),
        dns=("localhost",),
        addresses=("127.0.0.1",),
        not_before=now - timedelta(minutes=5),
        not_after=now + timedelta(days=30),
        serial=f"{leaf.serial_number:X}",
        issuer="O=MetIP development authority",
        days_left=30,
    )
    assert describe(issued.certificate_path, now + timedelta(days=31)).days_left == -1


def test_the_folder_is_named_after_the_path_unless_a_name_is_given(store: Store) -> None:
    assert issue(store, "spiffe://metip.local/consumer/tablet").name == "consumer-tablet"
    issued = issue(store, "spiffe://metip.local/consumer/iportal", name="portal")
    assert issued.certificate_path == store.directory / "portal" / "cert.pem"


REFUSED = {
    "not_a_spiffe_id": ({"spiffe_id": "https://metip.local/edge"}, Reason.INVALID_SPIFFE_ID),
    "no_path": ({"spiffe_id": "spiffe://metip.local"}, Reason.INVALID_SPIFFE_ID),
    "other_trust_domain": ({"spiffe_id": "spiffe://metip.example/edge"}, Reason.WRONG_TRUST_DOMAIN),
    "name_out_of_the_store": ({"name": "../edge"}, Reason.INVALID_NAME),
    "no_lifetime": ({"lifetime": timedelta(0)}, Reason.INVALID_LIFETIME),
    "91_days": ({"lifetime": timedelta(days=91)}, Reason.INVALID_LIFETIME),
    "wildcard": ({"dns": ("*.metip.local",)}, Reason.INVALID_HOST),
    "host_in_capitals": ({"dns": ("Localhost",)}, Reason.INVALID_HOST),
    "host_with_a_newline": ({"dns": ("localhost\n",)}, Reason.INVALID_HOST),
    "spiffe_id_as_host": ({"dns": (EDGE,)}, Reason.INVALID_HOST),
    "address_range": ({"addresses": ("127.0.0.0/8",)}, Reason.INVALID_HOST),
}


@pytest.mark.parametrize(("arguments", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_may_not_be_issued_is_refused_and_leaves_nothing(store: Store, arguments: dict[str, object], reason: Reason) -> None:
    wanted: dict[str, object] = {"spiffe_id": EDGE, **arguments}
    with pytest.raises(IdentityError) as refused:
        issue(store, **wanted)  # type: ignore[arg-type]  # the table's arguments differ in type
    assert refused.value.fault.reason is reason
    assert store.names() == ()


def test_issuing_again_keeps_the_key_so_that_the_pair_changes_at_once(store: Store) -> None:
    first = issue(store, EDGE)
    key = first.key_path.read_bytes()
    second = issue(store, EDGE)
    assert second.serial != first.serial
    assert first.key_path.read_bytes() == key


def test_a_key_that_may_have_leaked_is_changed_on_demand(store: Store, now: datetime) -> None:
    first = issue(store, EDGE, now=now)
    key = first.key_path.read_bytes()
    first.key_path.chmod(0o644)
    with pytest.raises(IdentityError) as refused:
        issue(store, EDGE, now=now)
    assert refused.value.fault.reason is Reason.EXPOSED
    issue(store, EDGE, new_key_too=True, now=now)
    assert first.key_path.read_bytes() != key
    assert faults_of(first.certificate_path, first.key_path, store.ca_certificate, now) == ()


def test_a_certificate_lost_or_spoilt_is_issued_again_for_the_key_that_is_there(store: Store, now: datetime) -> None:
    issued = issue(store, EDGE, now=now)
    for spoil in (issued.certificate_path.unlink, lambda: issued.certificate_path.write_text("spoilt")):
        spoil()
        issue(store, EDGE, now=now)
        assert faults_of(issued.certificate_path, issued.key_path, store.ca_certificate, now) == ()


def test_the_name_of_another_workload_is_refused(store: Store) -> None:
    issue(store, "spiffe://metip.local/a/b")
    with pytest.raises(IdentityError) as refused:
        issue(store, "spiffe://metip.local/a-b")
    assert refused.value.fault.reason is Reason.NAME_TAKEN
    assert describe(store.certificate("a-b")).spiffe_ids == ("spiffe://metip.local/a/b",)


def test_renewing_keeps_names_hosts_and_addresses(store: Store, now: datetime) -> None:
    first = issue(store, EDGE, name="front", dns=("localhost",), addresses=("127.0.0.1",), now=now)
    later = now + timedelta(days=20)
    second = renew(store, "front", now=later)
    facts = describe(second.certificate_path, later)
    assert (facts.spiffe_ids, facts.dns, facts.addresses) == ((EDGE,), ("localhost",), ("127.0.0.1",))
    assert facts.not_after == later + timedelta(days=30) > first.not_after


def test_a_certificate_is_renewed_from_half_of_its_lifetime() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    facts = CertificateFacts((EDGE,), (), (), start, start + timedelta(days=30), "1", "", 30)
    half = start + timedelta(days=15)
    assert not needs_renewal(facts, half - timedelta(seconds=1))
    assert needs_renewal(facts, half)
    assert needs_renewal(facts, start + timedelta(days=31))


def test_a_store_is_held_from_the_look_at_the_old_certificate_to_the_write_of_the_new(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock_is_held() -> bool:
        with (store.directory / ".lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    seen: list[bool] = []

    def watched(step: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: Any, **named: Any) -> object:
            seen.append(lock_is_held())
            return step(*arguments, **named)

        return run

    for step in ("_refuse_a_taken_name", "sign_leaf"):
        monkeypatch.setattr(certificates, step, watched(getattr(certificates, step)))
    issue(store, EDGE)
    assert seen == [True, True]
    assert not lock_is_held()


def test_many_issued_at_once_are_all_sound(store: Store, now: datetime) -> None:
    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(lambda n: issue(store, f"spiffe://metip.local/w{n % 4}", now=now), range(16)))
    assert len({one.serial for one in issued}) == 16
    for one in issued:
        assert faults_of(one.certificate_path, one.key_path, store.ca_certificate, now) == ()
    assert len({read_key(store.key(name)).public_key().public_numbers() for name in store.names()}) == 4
