"""May this consumer, with this role, call this operation for this purpose; which grant says so, or what is missing. Pure."""

from dataclasses import dataclass
from typing import Final

from hub.contracts import Contracts, Operation
from hub.mesh.grants import Right, rights_of
from hub.mesh.inputs import Policy

CONSUMER, TOKEN, ROLE, PURPOSE = "consumer", "token", "role", "purpose"
ENVOY: Final = "Envoy"
PIPELINE: Final = "the adapter's pipeline"


@dataclass(frozen=True)
class Question:
    """A call that somebody might make."""

    consumer: str
    operation: Operation
    roles: tuple[str, ...] | None = ()
    """Roles in the officer's token; None for a call without one."""
    purpose: str = ""
    """Such as `STREET_STOP`; empty to ask which ones are granted."""


@dataclass(frozen=True)
class Verdict:
    """What would become of it."""

    allowed: bool
    grants: tuple[str, ...]
    """Grants that let it in, by name; of a call that is refused, those that would if what is missing were there."""
    purposes: tuple[str, ...] = ()
    """Purposes that it may state; none of an operation that asks for none."""
    missing: tuple[str, ...] = ()
    """Of consumer, token, role and purpose, what keeps it out."""
    refused_by: str = ""
    reasons: tuple[str, ...] = ()


def judge(question: Question, contracts: Contracts, policy: Policy, trust_domain: str) -> Verdict:
    """The verdict, by the same rights that Envoy and the adapters are given."""
    operation = question.operation
    mine = [one for one in rights_of(contracts, policy, trust_domain)[operation.name] if one.consumer == question.consumer]
    if not mine:
        words = f"no grant gives {question.consumer} {operation.name}"
        return Verdict(False, (), missing=(CONSUMER,), refused_by=ENVOY, reasons=(words,))
    problems = list(_of_person(question, mine))
    open_to_it = [one for one in mine if one.open_to(question.roles or ())]
    granted = _purposes(open_to_it, operation)
    refused_by = ENVOY if problems else PIPELINE
    # Who lacks the role is told of the purpose only what they would lack with it, too.
    problems += _of_purpose(question, mine, _purposes(mine, operation) if problems else granted)
    if problems:
        missing, reasons = tuple(dict.fromkeys(what for what, _ in problems)), tuple(words for _, words in problems)
        return Verdict(False, _giving(mine, question.purpose), granted, missing, refused_by, reasons)
    return Verdict(True, _giving(open_to_it, question.purpose), granted)


def _of_person(question: Question, mine: list[Right]) -> list[tuple[str, str]]:
    found = []
    demanded = sorted({role for one in mine for role in one.roles})
    role_free = any(not one.roles for one in mine)
    if question.roles is None and (question.operation.officer_required or not role_free):
        found.append((TOKEN, "the operation demands an officer's token" if question.operation.officer_required else "no token, no role"))
    if not role_free and not set(demanded) & set(question.roles or ()):
        found.append((ROLE, f"the token must name one of the roles {', '.join(demanded)}"))
    return found


def _of_purpose(question: Question, mine: list[Right], granted: tuple[str, ...]) -> list[tuple[str, str]]:
    purpose, operation = question.purpose, question.operation
    if not purpose or purpose in granted:
        return []
    if not operation.personal:
        return [(PURPOSE, "the operation asks for no purpose")]
    if purpose not in operation.purposes:
        return [(PURPOSE, "the contract does not permit that purpose")]
    elsewhere = sorted({role for one in mine if purpose in _purposes([one], operation) for role in one.roles})
    words = "no grant gives this consumer that purpose"
    return [(PURPOSE, f"{words} in this role, but in {', '.join(elsewhere)}" if elsewhere else words)]


def _purposes(rights: list[Right], operation: Operation) -> tuple[str, ...]:
    given = {purpose for one in rights for purpose in one.purposes or operation.purposes}
    return tuple(one for one in operation.purposes if one in given)


def _giving(rights: list[Right], purpose: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.grant for one in rights if not purpose or not one.purposes or purpose in one.purposes))
