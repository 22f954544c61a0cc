"""The syntax of SPIFFE ids: what the standard allows is kept letter by letter, everything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity import IdentityError, Reason, SpiffeId, parse_spiffe_id, parse_workload_id

GOOD = [
    ("spiffe://metip.local", SpiffeId("metip.local")),
    ("spiffe://metip.local/edge", SpiffeId("metip.local", ("edge",))),
    ("spiffe://metip.local/consumer/handset", SpiffeId("metip.local", ("consumer", "handset"))),
    ("spiffe://a_b-c.9/X.y_Z-0/...", SpiffeId("a_b-c.9", ("X.y_Z-0", "..."))),
]
BAD = {
    "empty": "",
    "no_scheme": "metip.local/edge",
    "https": "https://metip.local/edge",
    "scheme_in_capitals": "SPIFFE://metip.local/edge",
    "no_trust_domain": "spiffe:///edge",
    "trust_domain_in_capitals": "spiffe://Metip.local/edge",
    "port": "spiffe://metip.local:443/edge",
    "user": "spiffe://me@metip.local/edge",
    "trailing_slash": "spiffe://metip.local/edge/",
    "slash_after_trust_domain": "spiffe://metip.local/",
    "doubled_slash": "spiffe://metip.local//edge",
    "dot": "spiffe://metip.local/./edge",
    "double_dot": "spiffe://metip.local/../edge",
    "percent": "spiffe://metip.local/%65dge",
    "query": "spiffe://metip.local/edge?x",
    "fragment": "spiffe://metip.local/edge#x",
    "space": "spiffe://metip.local/edge ",
    "newline": "spiffe://metip.local/edge\n",
    "nul": "spiffe://metip.local/edge\0",
    "not_ascii": "spiffe://metip.local/café",
    "lone_surrogate": "spiffe://metip.local/\udcff",
    "trust_domain_of_256_bytes": f"spiffe://{'a' * 256}/edge",
    "id_of_2049_bytes": "spiffe://metip.local/".ljust(2049, "a"),
}


@pytest.mark.parametrize(("text", "parts"), GOOD)
def test_a_good_id_is_taken_apart_and_put_together_again(text: str, parts: SpiffeId) -> None:
    assert parse_spiffe_id(text) == parts
    assert str(parts) == text


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_id_is_refused(text: str) -> None:
    with pytest.raises(IdentityError) as refused:
        parse_spiffe_id(text)
    assert refused.value.fault.reason is Reason.INVALID_SPIFFE_ID
    assert "spiffe://metip.local/<kind>/<name>" in refused.value.fault.fix


def test_an_id_of_exactly_2048_bytes_is_allowed() -> None:
    longest = "spiffe://metip.local/".ljust(2048, "a")
    assert str(parse_spiffe_id(longest)) == longest


def test_a_bad_id_is_shown_short_and_without_control_characters() -> None:
    with pytest.raises(IdentityError) as refused:
        parse_spiffe_id("spiffe://metip.local/\x1b[2J" + "x" * 3000)
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()


def test_a_trust_domain_alone_names_no_workload() -> None:
    with pytest.raises(IdentityError, match="no path"):
        parse_workload_id("spiffe://metip.local")


@given(st.text(alphabet="spif:/metp.loca-_09AZ%@# \n", max_size=60).map(lambda rest: f"spiffe://{rest}"))
def test_whatever_is_accepted_has_one_spelling_only(text: str) -> None:
    try:
        parts = parse_spiffe_id(text)
    except IdentityError:
        return
    assert str(parts) == text
