"""The access policy by itself: read with every problem and its place, judged, compared; and what whoever answers is told of it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.access.comparing import OTHERWISE, differences, summed_up
from hub.access.judging import Question, judge
from hub.access.reading import message_of, policy_of, read
from hub.contracts import load, matching
from hub.laptop.layout import Home
from hub.laptop.preparing import Ports, prepare
from hub.mesh.grants import BY_CONTRACT, rights_of, text_of
from hub.mesh.inputs import Grant, Limit, Policy, adapter_identity
from metip.grants import EVERY, LONGEST, granted
from metip.options.v1.options_pb2 import Purpose
from metip.settings import SettingsError

CONTRACTS = load(date(2026, 11, 23))
DOMAIN = "metip.local"
ONE, OTHER = f"spiffe://{DOMAIN}/consumer/one", f"spiffe://{DOMAIN}/consumer/other"
OPERATION = next(one for one in matching("*", CONTRACTS) if one.officer_required and len(one.purposes) > 2)
OPEN = next(one for one in matching("*", CONTRACTS) if not one.personal)
FIRST, SECOND, THIRD = OPERATION.purposes[:3]
FOREIGN = next(name for name, number in Purpose.items() if number and name.removeprefix("PURPOSE_") not in OPERATION.purposes)

BEYOND = FOREIGN.removeprefix("PURPOSE_")
NAMED = f"consumer: {ONE}, operations: ['{OPERATION.name}']"
ALL = f"consumer: {ONE}, operations: ['*']"


def numbers(*purposes: str) -> frozenset[int]:
    return frozenset(Purpose.Value(f"PURPOSE_{one}") for one in purposes)


def problems(text: str) -> tuple[str, ...]:
    """Faults, and what is idle where there are none."""
    try:
        return read(text.encode(), CONTRACTS, DOMAIN, source="access.yaml").idle
    except SettingsError as error:
        return error.problems


# What is wrong with a policy, and the place that is named for it.
WRONG = {
    "a pattern of nothing": (f"grants: [{{consumer: {ONE}, operations: ['*', metip.none.v1.No/Get]}}]", "grants[0].operations[1]"),
    "a purpose of nothing": (
        f"grants: [{{{NAMED}, purposes: [{FOREIGN}]}}]",
        "grants[0].purposes[0]",
    ),
    "a purpose nobody knows": (f"grants: [{{{ALL}, purposes: [PURPOSE_FUN]}}]", "grants[0].purposes"),
    "no purpose at all": (f"grants: [{{{ALL}, purposes: [PURPOSE_UNSPECIFIED]}}]", "grants[0].purposes[0]"),
    "a purpose twice": (
        f"grants: [{{{ALL}, purposes: [PURPOSE_{FIRST}, PURPOSE_{FIRST}]}}]",
        "grants[0].purposes",
    ),
    "a role that could not be told": (f"grants: [{{{ALL}, roles: ['a,b']}}]", "grants[0].roles[0]"),
    "a stranger": ("grants: [{consumer: spiffe://other.local/consumer/one, operations: ['*']}]", "grants[0].consumer"),
    "a name twice": (
        f"grants: [{{name: a, consumer: {ONE}, operations: ['*']}}, {{name: a, consumer: {OTHER}, operations: ['*']}}]",
        "grants[1].name",
    ),
    "a limit of a stranger": ("limits: [{consumer: spiffe://other.local/consumer/one}]", "limits[0].consumer"),
    "a limit twice": (f"limits: [{{consumer: {ONE}}}, {{consumer: {ONE}}}]", "limits[1].consumer"),
}


@pytest.mark.parametrize(("text", "place"), WRONG.values(), ids=WRONG)
def test_each_problem_is_named_by_its_place(text: str, place: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"{place}: ")


def test_all_faults_are_told_at_once() -> None:
    found = problems(f"grants: [{{name: a, consumer: {ONE}, operations: ['*']}}, {{name: a, consumer: spiffe://x/y, operations: ['*']}}]")
    assert [one.partition(":")[0] for one in found] == ["grants[1].consumer", "grants[1].name"]


def test_what_envoy_could_not_pass_on_is_refused_and_not_cut() -> None:
    lines = (
        f"  - {{consumer: spiffe://{DOMAIN}/consumer/{'n' * 40}-{place}, operations: ['{OPERATION.name}'], purposes: [PURPOSE_{FIRST}]}}"
        for place in range(100)
    )
    (problem,) = problems("grants:\n" + "\n".join(lines))
    assert f"{LONGEST} are allowed" in problem


def test_the_policy_that_a_laptop_begins_with_and_one_of_before_roles_mean_what_they_meant(tmp_path: Path) -> None:
    prepare(Home.at(tmp_path / "home"), Ports(1, 2))
    found = read((tmp_path / "home" / "access.yaml").read_bytes(), CONTRACTS, DOMAIN, source="access.yaml")
    assert found.idle == ()
    on_the_mesh = {operation.name for interface in CONTRACTS.interfaces if not interface.private for operation in interface.operations}
    rights = rights_of(CONTRACTS, found.policy, DOMAIN)
    assert {name for name in rights if text_of(rights[name]) == EVERY} == on_the_mesh


def test_a_policy_survives_its_message() -> None:
    policy = Policy((Grant(ONE, ("*",), (FIRST,), ("sergeant",), "one"), Grant(OTHER, (OPERATION.name,))), (Limit(ONE, 10, 20),))
    assert policy_of(message_of(policy)) == policy


GRANTS = st.builds(
    Grant,
    st.sampled_from((ONE, OTHER, adapter_identity(DOMAIN, "some"))),
    st.sampled_from((("*",), (OPERATION.name,), (OPERATION.interface + "/*", OPEN.name))),
    st.lists(st.sampled_from((FIRST, SECOND, THIRD, BEYOND)), unique=True, max_size=3).map(tuple),
    st.lists(st.sampled_from(("sergeant", "inspector", "clerk")), unique=True, max_size=2).map(tuple),
)
POLICIES = st.lists(GRANTS, max_size=5).map(lambda grants: Policy(tuple(grants)))
ROLES = st.lists(st.sampled_from(("sergeant", "inspector", "clerk", "other")), unique=True, max_size=3).map(tuple)


@given(POLICIES, ROLES, st.sampled_from((ONE, OTHER)), st.sampled_from((FIRST, SECOND, THIRD)))
@settings(max_examples=200, deadline=None)
def test_whoever_answers_and_explain_judge_as_the_grants_say(policy: Policy, roles: tuple[str, ...], consumer: str, purpose: str) -> None:
    """The plain reading of a policy, against the text that Envoy passes on and against the verdict."""
    meant = any(
        grant.consumer == consumer
        and any(OPERATION in matching(pattern, CONTRACTS) for pattern in grant.operations)
        and (not grant.purposes or purpose in grant.purposes)
        and (not grant.roles or set(grant.roles) & set(roles))
        for grant in policy.grants
    )
    rights = rights_of(CONTRACTS, policy, DOMAIN)[OPERATION.name]
    let_in = any(one.consumer == consumer and one.open_to(roles) for one in rights)
    said = granted(text_of(rights), consumer, roles)
    assert (let_in and (said is None or numbers(purpose) <= said)) == meant
    assert judge(Question(consumer, OPERATION, roles, purpose), CONTRACTS, policy, DOMAIN).allowed == meant


@given(POLICIES, POLICIES)
@settings(max_examples=60, deadline=None)
def test_a_difference_is_what_the_two_verdicts_differ_in(old: Policy, new: Policy) -> None:
    rows = {
        (row.consumer, row.purpose, row.role): row.gained
        for row in differences(old, new, CONTRACTS, DOMAIN)
        if row.operation == OPERATION.name
    }
    for consumer in (ONE, OTHER):
        for purpose in OPERATION.purposes:
            for role in ("sergeant", "inspector", "clerk", OTHERWISE):
                roles = () if role == OTHERWISE else (role,)
                before, after = (judge(Question(consumer, OPERATION, roles, purpose), CONTRACTS, one, DOMAIN).allowed for one in (old, new))
                named = role == OTHERWISE or role in {name for policy in (old, new) for grant in policy.grants for name in grant.roles}
                if named:
                    assert rows.get((consumer, purpose, role)) == (after if before != after else None)


def test_what_two_policies_share_is_no_difference_however_it_is_written() -> None:
    apart = Policy((Grant(ONE, (OPERATION.name,), (FIRST,)), Grant(ONE, (OPERATION.name,), (SECOND,))))
    together = Policy((Grant(ONE, (OPERATION.name,), (SECOND, FIRST), (), "together"),))
    assert differences(apart, together, CONTRACTS, DOMAIN) == ()


def test_a_summary_gathers_purposes_roles_and_whole_interfaces() -> None:
    whole = Policy((Grant(ONE, (f"{OPERATION.interface}/*",)),))
    rows = differences(Policy(), whole, CONTRACTS, DOMAIN)
    (line,) = summed_up(rows, Policy(), whole, CONTRACTS)
    of_it = matching(f"{OPERATION.interface}/*", CONTRACTS)
    assert (line.gained, line.consumer, line.purposes, line.roles) == (True, ONE, None, ())
    assert line.operations == (f"{OPERATION.interface}/*" if len(of_it) > 1 else OPERATION.name)
    narrowed = Policy((replace(whole.grants[0], roles=("sergeant",)),))
    lost = summed_up(differences(whole, narrowed, CONTRACTS, DOMAIN), whole, narrowed, CONTRACTS)
    assert {(one.gained, one.roles) for one in lost} == {(False, (OTHERWISE,))}


MISSING = {
    "a stranger": (Question(OTHER, OPERATION, ("sergeant",), FIRST), ("consumer",), "Envoy"),
    "without a token": (Question(ONE, OPERATION, None, FIRST), ("token", "role"), "Envoy"),
    "without the role": (Question(ONE, OPERATION, ("clerk",), FIRST), ("role",), "Envoy"),
    "without the purpose": (Question(ONE, OPERATION, ("sergeant",), SECOND), ("purpose",), "the adapter's pipeline"),
    "past the contract": (
        Question(ONE, OPERATION, ("sergeant",), BEYOND),
        ("purpose",),
        "the adapter's pipeline",
    ),
}


@pytest.mark.parametrize(("question", "missing", "by"), MISSING.values(), ids=MISSING)
def test_a_verdict_names_what_is_missing_and_who_refuses(question: Question, missing: tuple[str, ...], by: str) -> None:
    policy = Policy((Grant(ONE, (OPERATION.name,), (FIRST,), ("sergeant",), "desk"),))
    verdict = judge(question, CONTRACTS, policy, DOMAIN)
    assert (verdict.allowed, verdict.missing, verdict.refused_by) == (False, missing, by)
    assert len(verdict.reasons) == len(missing)


def test_a_verdict_names_the_grants_that_let_it_in() -> None:
    policy = Policy((Grant(ONE, ("*",), (FIRST,), (), "first"), Grant(ONE, (OPERATION.name,), (SECOND,)), Grant(ONE, ("*",), name="all")))
    assert judge(Question(ONE, OPERATION, (), FIRST), CONTRACTS, policy, DOMAIN).grants == ("first", "all")
    assert judge(Question(ONE, OPERATION, (), SECOND), CONTRACTS, policy, DOMAIN).grants == ("grants[1]", "all")


def test_an_adapter_may_what_its_contract_consults_and_nobody_granted() -> None:
    asker = next(one for one in matching("*", CONTRACTS) if one.consults)
    system = CONTRACTS.interface(asker.interface).system
    consulted = CONTRACTS.operations[asker.consults[0]]
    verdict = judge(Question(adapter_identity(DOMAIN, system), consulted), CONTRACTS, Policy(), DOMAIN)
    assert (verdict.allowed, verdict.grants) == (True, (BY_CONTRACT,))


NOT_NAMED = ("", ";", "|", "1", "1|", "1||", "x||consumer/one", "*|sergeant|consumer/one", "*||consumer/onee", "*||one")


@pytest.mark.parametrize("text", NOT_NAMED)
def test_a_text_that_does_not_name_the_consumer_gives_nothing(text: str) -> None:
    assert granted(text, ONE, ()) == frozenset()
