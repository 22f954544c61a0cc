"""Officer tokens: what a good one says, how each bad one is refused, and that no error repeats one."""

import json
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from hostile_tokens import TOKENS, TokenGround, hostile_token
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.identity import IdentityError, Officer, Reason, Store, TokenError, TokenReason, inspect_token, issue_operator_token, issue_token
from hub.identity.store import read_key

TABLET = "spiffe://metip.local/consumer/handset"
OFFICER = Officer("100001XX", "01", "CO10", ("response", "custody-sergeant"))


@pytest.fixture
def token(store: Store, now: datetime) -> str:
    return issue_token(store, OFFICER, authorised_party=TABLET, now=now)


@pytest.fixture
def ground(store: Store, now: datetime) -> TokenGround:
    return TokenGround(read_key(store.token_issuer_key), "metip.local", TABLET, now)


def test_a_token_says_who_where_for_whom_and_until_when(store: Store, token: str, now: datetime) -> None:
    claims = inspect_token(store, token, now)
    assert (claims.issuer, claims.audiences) == ("https://token-issuer.metip.local", ("metip",))
    assert (claims.warrant_number, claims.force, claims.unit) == ("100001XX", "01", "CO10")
    assert (claims.roles, claims.authorised_party) == (("response", "custody-sergeant"), TABLET)
    assert (claims.issued_at, claims.not_before, claims.expires_at) == (now, now, now + timedelta(hours=8))
    assert UUID(claims.token_id).version == 4


def test_the_claims_on_the_wire_are_the_registered_ones(store: Store, token: str) -> None:
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sub", "iat", "nbf", "exp", "jti", "azp", "force", "unit", "roles"}
    header = jwt.get_unverified_header(token)
    (key,) = json.loads(store.jwks.read_text())["keys"]
    assert header == {"alg": "ES256", "kid": key["kid"], "typ": "JWT"}


def test_the_key_set_is_public_and_serves_another_reader(store: Store, token: str, now: datetime) -> None:
    document = json.loads(store.jwks.read_text())
    (key,) = document["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}, "a member d would be the private key"
    (loaded,) = jwt.PyJWKSet.from_dict(document).keys
    claims = jwt.decode(token, loaded, algorithms=["ES256"], audience="metip")
    assert claims["sub"] == "100001XX"


def test_two_tokens_for_one_officer_differ(store: Store, token: str, now: datetime) -> None:
    again = issue_token(store, OFFICER, authorised_party=TABLET, now=now)
    assert inspect_token(store, again, now).token_id != inspect_token(store, token, now).token_id


TIMES = {
    "a_second_early": (-timedelta(seconds=1), TokenReason.NOT_YET_VALID),
    "at_once": (timedelta(0), None),
    "last_second": (timedelta(hours=8, seconds=-1), None),
    "at_the_end": (timedelta(hours=8), TokenReason.EXPIRED),
}


@pytest.mark.parametrize(("since", "reason"), TIMES.values(), ids=TIMES)
def test_a_tokens_time(store: Store, token: str, now: datetime, since: timedelta, reason: TokenReason | None) -> None:
    if reason is None:
        assert inspect_token(store, token, now + since).force == "01"
    else:
        with pytest.raises(TokenError) as refused:
            inspect_token(store, token, now + since)
        assert refused.value.reason is reason


@pytest.mark.parametrize("case", TOKENS)
def test_a_hostile_token_is_refused_for_its_reason_and_never_repeated(store: Store, ground: TokenGround, case: str) -> None:
    hostile = hostile_token(case, ground)
    if hostile.reason is None:
        assert inspect_token(store, hostile.text, ground.now).authorised_party != TABLET
        return
    with pytest.raises(TokenError) as refused:
        inspect_token(store, hostile.text, ground.now)
    assert refused.value.reason is hostile.reason
    shown = str(refused.value) + "".join(traceback.format_exception(refused.value))
    assert "100001XX" not in shown
    assert not any(part and part in shown for part in hostile.text.split("."))


def test_every_reason_has_a_hostile_token() -> None:
    assert {forgery.reason for forgery in TOKENS.values()} == {None, *TokenReason}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.text('aA0-_.={}[]"eyJ', max_size=200))
def test_any_text_is_refused_with_a_reason(store: Store, text: str) -> None:
    with pytest.raises(TokenError):
        inspect_token(store, text, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_token_that_is_too_long_is_refused_unread(store: Store, token: str, now: datetime) -> None:
    with pytest.raises(TokenError) as refused:
        inspect_token(store, token + "A" * 8192, now)
    assert refused.value.reason is TokenReason.MALFORMED


@pytest.mark.parametrize("value", [None, "soon", 1.5, True, 10**30, -(10**30)], ids=str)
def test_a_time_that_is_no_time_is_malformed(store: Store, ground: TokenGround, value: object) -> None:
    claims = jwt.decode(hostile_token("wrong_audience", ground).text, options={"verify_signature": False})
    text = jwt.encode(
        {**claims, "exp": value},
        ground.issuer_key,
        algorithm="ES256",
        headers={"kid": json.loads(store.jwks.read_text())["keys"][0]["kid"]},
    )
    with pytest.raises(TokenError) as refused:
        inspect_token(store, text, ground.now)
    assert refused.value.reason is TokenReason.MALFORMED


def test_another_audience_can_be_asked_for(store: Store, now: datetime) -> None:
    text = issue_token(store, OFFICER, audience="console", authorised_party=TABLET, now=now)
    assert inspect_token(store, text, now, audience="console").audiences == ("console",)


OFFICERS = {
    "no_warrant_number": replace(OFFICER, warrant_number=""),
    "warrant_number_of_16": replace(OFFICER, warrant_number="1" * 16),
    "warrant_number_with_a_space": replace(OFFICER, warrant_number="1000 01"),
    "warrant_number_with_a_newline": replace(OFFICER, warrant_number="100001\n"),
    "force_in_letters": replace(OFFICER, force="MP"),
    "force_in_other_digits": replace(OFFICER, force="\u0660\u0661"),
    "no_unit": replace(OFFICER, unit=""),
    "role_in_capitals": replace(OFFICER, roles=("Administrator",)),
    "too_many_roles": replace(OFFICER, roles=("response",) * 21),
}


@pytest.mark.parametrize("officer", OFFICERS.values(), ids=OFFICERS)
def test_an_officer_that_cant_be_is_refused_without_the_warrant_number(store: Store, now: datetime, officer: Officer) -> None:
    with pytest.raises(IdentityError) as refused:
        issue_token(store, officer, authorised_party=TABLET, now=now)
    assert refused.value.fault.reason is Reason.INVALID_OFFICER
    assert "1000" not in str(refused.value)


@pytest.mark.parametrize("lifetime", [timedelta(0), -timedelta(hours=1), timedelta(hours=25), timedelta(days=3650)], ids=str)
def test_a_lifetime_beyond_a_day_is_refused(store: Store, now: datetime, lifetime: timedelta) -> None:
    with pytest.raises(IdentityError) as refused:
        issue_token(store, OFFICER, authorised_party=TABLET, lifetime=lifetime, now=now)
    assert refused.value.fault.reason is Reason.INVALID_LIFETIME


@pytest.mark.parametrize("party", ["handset", "spiffe://metip.local", "spiffe://METIP.local/handset", ""])
def test_a_consumer_that_is_no_workload_is_refused(store: Store, now: datetime, party: str) -> None:
    with pytest.raises(IdentityError) as refused:
        issue_token(store, OFFICER, authorised_party=party, now=now)
    assert refused.value.fault.reason is Reason.INVALID_SPIFFE_ID


def test_no_token_is_issued_that_nobody_would_accept(store: Store, now: datetime) -> None:
    store.jwks.write_text('{"keys": []}')
    with pytest.raises(IdentityError) as refused:
        issue_token(store, OFFICER, authorised_party=TABLET, now=now)
    assert refused.value.fault.reason is Reason.KEY_MISMATCH


def test_an_exposed_issuer_key_issues_nothing(store: Store, now: datetime) -> None:
    store.token_issuer_key.chmod(0o644)
    with pytest.raises(IdentityError) as refused:
        issue_token(store, OFFICER, authorised_party=TABLET, now=now)
    assert refused.value.fault.reason is Reason.EXPOSED


def test_a_warrant_number_stays_out_of_representations(store: Store, token: str, now: datetime) -> None:
    assert "100001XX" not in repr(OFFICER)
    assert "100001XX" not in repr(inspect_token(store, token, now))


def test_a_token_of_operations_says_the_account_and_is_good_for_its_consumer_alone(store: Store, now: datetime) -> None:
    console, hour = "spiffe://metip.local/consumer/console", timedelta(hours=1)
    made = issue_operator_token(store, "www-data.1", ("operations",), authorised_party=console, lifetime=hour, now=now)
    claims = inspect_token(store, made, now)
    assert (claims.warrant_number, claims.roles, claims.authorised_party) == ("www-data.1", ("operations",), console)
    assert claims.expires_at - claims.issued_at == hour


@pytest.mark.parametrize("user", ["", "a b", "a/b", "a\nb", "x" * 65])
def test_an_account_whose_name_can_not_be_written_down_gets_none(user: str, store: Store, now: datetime) -> None:
    with pytest.raises(IdentityError) as caught:
        issue_operator_token(store, user, (), authorised_party=TABLET, lifetime=timedelta(hours=1), now=now)
    assert caught.value.fault.reason is Reason.INVALID_OFFICER
