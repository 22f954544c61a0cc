"""`metip explain`: one operation in words: who may call it, for which purposes, where it goes, how long, how often, how much."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import Problem, home_option, json_option

if TYPE_CHECKING:
    from hub.cli.client import Place
    from hub.contracts import Contracts, Interface, Operation
    from hub.mesh.inputs import Policy, Traffic
    from metip.hub.v1.catalogue_service_pb2 import ExplainOperationResponse

DELIVERY = {
    "READ": "It is a query: it changes nothing, so the platform may ask again.",
    "WRITE_IDEMPOTENT": "It is a command whose repetition changes nothing more, so the platform may send it again.",
    "WRITE_ONCE": "It is a command that must not be repeated: the platform never sends it twice, and an answer that got lost is IN_DOUBT.",
}
VERBS = {
    "NONE": "It touches no personal data, and no record of it is kept under section 62 of the Data Protection Act 2018.",
    "COLLECTION": "It takes personal data in, and is recorded as a collection",
    "ALTERATION": "It changes personal data, and is recorded as an alteration",
    "CONSULTATION": "It looks at personal data, and is recorded as a consultation, even if it finds nothing",
    "DISCLOSURE": "It hands personal data to another controller, and is recorded as a disclosure",
    "COMBINATION": "It joins personal data from several sources, and is recorded as a combination",
    "ERASURE": "It deletes personal data, and is recorded as an erasure",
}
MIRRORS = {
    "NEVER": "Old and new platform are never compared on it.",
    "REPLICA": "Old and new platform may be compared on it against a copy or a simulator.",
    "RECORDED": "Old and new platform may be compared on it with recorded requests and answers.",
    "SAMPLED": "Old and new platform may be compared on it with a capped live sample, each look-up recorded.",
}
REGIMES = {"LAW_ENFORCEMENT": "law enforcement", "UK_GDPR": "UK GDPR", "MIXED": "law enforcement and UK GDPR"}
LAW = " (section 62, Data Protection Act 2018)."


@click.command(
    epilog="\b\nExamples:\n"
    "  metip explain                            list all operations\n"
    "  metip explain GetExample\n"
    "  metip explain metip.example.v1.ExampleService/GetExample --json\n"
    "  metip explain GetExample --offline       from the installed contracts and access.yaml\n"
)
@click.argument("operation", required=False)
@home_option
@json_option
@click.option("--offline", is_flag=True, help="Explain from the installed contracts and the home's access.yaml; ask nobody.")
def explain(operation: str | None, home: Path, as_json: bool, offline: bool) -> None:
    """Say who may call an operation, why, where it goes, and its limits.

    OPERATION is a full name, or its end as far as that is unique. Without one, all operations are listed.
    """
    from hub.cli.messages import Messages, contracts, operation_named, operations
    from hub.contracts.samples import sample_of

    known = contracts()
    if operation is None:
        _list(known, as_json)
        return
    one = operation_named(operation, known)
    explained = _offline(home, one, known) if offline else asyncio.run(_from_hub(home, one))
    if as_json:
        from google.protobuf.json_format import MessageToDict

        printing.print_json(MessageToDict(explained, preserving_proto_field_name=True, always_print_fields_with_no_presence=True))
        return
    consulted_by = sorted(other.name for other in operations(known).values() if one.name in other.consults)
    sampled = sample_of(one, Messages(known)) is not None
    for line in prose(explained, known.interface(one.interface), consulted_by, offline=offline, sampled=sampled):
        click.echo(line)


def _list(known: "Contracts", as_json: bool) -> None:
    from hub.cli.messages import operations

    found = operations(known)
    if as_json:
        printing.print_json(
            [{"operation": one.name, "delivery_class": one.delivery_class.name, "verb": one.verb} for one in found.values()]
        )
        return
    rows = [(one.name, one.delivery_class.name, one.verb, one.description.partition(". ")[0].rstrip(".")) for one in found.values()]
    printing.print_table(("operation", "class", "verb", "what it does"), rows)


async def _from_hub(home: Path, operation: "Operation") -> "ExplainOperationResponse":
    from hub.cli.client import HubGoneError, hub_client, place

    async with hub_client(place(home)) as hub:
        try:
            return await hub.explain(operation.name)
        except HubGoneError as error:
            raise Problem(error.message, "start it with `metip up`, or explain from the contracts alone with --offline") from None


def _offline(home: Path, operation: "Operation", known: "Contracts") -> "ExplainOperationResponse":
    from hub.api.catalogue import explain as explained_by
    from hub.laptop.layout import TRUST_DOMAIN, Home
    from hub.mesh.control import Inputs
    from hub.mesh.inputs import AS_OWNED, Edge, Policy, Tokens

    policy, traffic, trust_domain = Policy(), AS_OWNED, TRUST_DOMAIN
    if Home.at(home).hub_settings.exists():
        where = _place(home)
        policy, traffic, trust_domain = _policy(where, known), _traffic(where, known), where.settings.trust_domain
    else:
        click.echo(f"there is no access policy in {home}, so only what contracts themselves allow is known", err=True)
    nowhere = Edge(trust_domain, address="", port=0, json_port=0, certificate="", key="", authority="", tokens=Tokens("", "", ""))
    return explained_by(operation, Inputs(known, policy, nowhere, traffic=traffic))


def _place(home: Path) -> "Place":
    from hub.cli.client import place

    return place(home)


def _policy(where: "Place", known: "Contracts") -> "Policy":
    from hub.sources import read_policy
    from metip.settings import SettingsError

    try:
        return read_policy(where.settings, known)
    except SettingsError as error:
        raise Problem(str(error), "correct the policy; `metip check` looks at all settings") from None


def _traffic(where: "Place", known: "Contracts") -> "Traffic":
    from hub.sources import read_traffic
    from hub.traffic.running import in_force
    from metip.settings import SettingsError

    try:
        return in_force(where.settings.state, read_traffic(where.settings, known))
    except SettingsError as error:
        raise Problem(str(error), "correct the shares; `metip check` looks at all settings") from None


def prose(
    one: "ExplainOperationResponse", interface: "Interface", consulted_by: list[str], *, offline: bool, sampled: bool
) -> Iterator[str]:
    """The explanation, paragraph by paragraph, each led by what it answers."""
    yield printing.title(one.operation)
    for question, answer in _answers(one, interface, consulted_by, offline=offline, sampled=sampled):
        yield from _paragraph(question, answer)


def _answers(
    one: "ExplainOperationResponse", interface: "Interface", consulted_by: list[str], *, offline: bool, sampled: bool
) -> Iterator[tuple[str, str]]:
    yield "what", one.description or "The contract does not say."
    regime = REGIMES.get(interface.legal_regime, interface.legal_regime)
    yield "whose", f"It belongs to {interface.system}; {interface.owner} answers for it."
    yield "data", f"{interface.classification.replace('_', '-')}, {regime} processing, {_assessment(interface)}."
    yield "who", _who(one, consulted_by)
    yield "why", _why(one)
    yield "where", _where(one, offline=offline)
    longest = printing.span(one.timeout.ToTimedelta().total_seconds())
    yield "how long", f"At most {longest}. A caller's shorter deadline wins, a longer one is cut to this; then it is DEADLINE_EXCEEDED."
    yield "how often", f"{DELIVERY[one.delivery_class]} {_retries(one.retries)}"
    yield "how much", f"A request of at most {one.max_request_bytes:,} bytes; a larger one is refused with RESOURCE_EXHAUSTED."
    verb = VERBS.get(one.verb, f"It is recorded as {one.verb}")
    yield "record", verb if one.verb == "NONE" else verb + LAW
    yield "migration", MIRRORS.get(one.mirror, one.mirror)
    yield "types", f"{one.request} in, {one.reply} out."
    yield "try it", f"metip call {one.operation}{' --sample' if sampled else ''}"


def _assessment(interface: "Interface") -> str:
    return f"assessment {interface.dpia.reference}, to be reviewed by {interface.dpia.review_by}"


def _who(one: "ExplainOperationResponse", consulted_by: list[str]) -> str:
    if not one.consumers:
        return "Nobody: no grant in access.yaml names it, and everything else is refused."
    words = f"{printing.count(len(one.consumers), 'consumer')}, by certificate: {', '.join(one.consumers)}; everybody else is refused."
    if consulted_by:
        words += f" The adapters among them consult it for {', '.join(consulted_by)}, with the asker's own token."
    if one.officer_required:
        return f"{words} A person must be behind the call: an officer token issued to that consumer is demanded."
    return f"{words} No person need be behind the call."


def _why(one: "ExplainOperationResponse") -> str:
    if not one.purposes:
        return "No purpose is asked for."
    named = ", ".join(purpose.replace("_", " ").lower() for purpose in one.purposes)
    words = f"For {printing.count(len(one.purposes), 'purpose')}: {named}. Any other is refused before the far system is asked."
    return f"{words} A written justification is demanded beside it." if one.justification_required else words


def _where(one: "ExplainOperationResponse", *, offline: bool) -> str:
    if offline:
        words = "To whichever adapters serve its interface; only the hub knows them."
    elif one.endpoints:
        words = f"Through Envoy straight to {printing.count(len(one.endpoints), 'instance')}: {', '.join(one.endpoints)}."
    else:
        words = "Nowhere: nobody serves its interface now, so callers are told UNAVAILABLE at once."
    if one.back_ends:
        shares = ", ".join(f"{back_end.system} {back_end.weight}" for back_end in one.back_ends)
        words += f" Several systems stand behind it, by weight: {shares}."
    if one.consults:
        words += f" On the asker's behalf it consults {', '.join(one.consults)}."
    return words


def _retries(times: int) -> str:
    if not times:
        return "Envoy sends it once."
    return f"Envoy repeats it up to {printing.count(times, 'time')} when an instance is UNAVAILABLE, each time at another instance."


def _paragraph(question: str, answer: str) -> Iterator[str]:
    import textwrap

    lead = f"  {question:10}"
    wrapped = textwrap.wrap(answer, max(min(printing.width(), 110) - len(lead), 40), break_long_words=False, break_on_hyphens=False)
    for place, line in enumerate(wrapped or [""]):
        yield (click.style(lead, fg="cyan") if place == 0 else " " * len(lead)) + line
