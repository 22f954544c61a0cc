"""`metip trace`: asks the hub for a journey, and shows it."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.exchange.asking import Words
from hub.cli.exchange.moments import Moment
from hub.cli.options import Problem, home_option, json_option
from hub.cli.watching import watch_option

PATIENCE: Final = 25.0
LONGEST_KEY: Final = 500
ANY: Final = "key"
"""For `--by`: a business key of whatever kind, or an idempotency or ordering key."""
LEARNT: Final = "hub.cli.journey"
"""Where a command that watches keeps the journey that a business key led to, so that its asking is recorded once."""


@dataclass(frozen=True)
class Asked:
    """What is asked of the hub."""

    id: str
    kind: str = ""
    identifier: str = ""
    reference: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def request(self) -> Any:
        """The same in the contract's words."""
        from metip.common.v1.access_pb2 import AccessContext
        from metip.journey.v1 import journey_service_pb2 as api
        from metip.options.v1.options_pb2 import PURPOSE_AUDIT

        request = api.GetJourneyRequest(id=self.id, identifier=self.identifier)
        if self.kind:
            request.kind = api.IdKind.Value(f"ID_KIND_{self.kind.upper().replace('-', '_')}")
        if self.reference or self.reason:
            request.access.CopyFrom(AccessContext(purpose=PURPOSE_AUDIT, reference=self.reference, justification=self.reason))
        for name, moment in (("from", self.since), ("before", self.until)):
            if moment is not None:
                getattr(request, name).FromDatetime(moment)
        return request


@click.command(
    epilog="\b\nExamples:\n"
    "  metip trace 6f9619ff-8b86-4d01-b42d-00cf4fc964ff                a call id, or a message id\n"
    "  metip trace 4bf92f3577b34da6a3ce929d0e0e4736                    a trace id, or a whole traceparent\n"
    "  metip trace 41 --json                                           the number of a record in the ledger\n"
    "  metip trace 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --watch 2s\n"
    "  metip trace --by pti_urn --reference 01ZD/17/26 --reason 'Missing result'       asks for the number\n"
    "  metip trace --by key --reference INC0042 --reason 'Never arrived' < key.txt     an idempotency or ordering key\n\n"
    "Every id of a journey tells the same one. A business key is personal: to ask by it takes a reference and a reason, and is recorded; "
    "what is typed as an argument stays in the shell's history, so leave it to the prompt. Nothing that is shown is personal."
)
@click.argument("any_id", metavar="[ID]", default="")
@click.option(
    "--by", default="", metavar="KIND", help=f"By a business key of this kind, such as pti_urn, or `{ANY}` for any; it is asked for."
)
@click.option("--reference", default="", metavar="NUMBER", help="The case or incident that a business key is asked for; it is recorded.")
@click.option("--reason", type=Words(), default=None, metavar="WORDS", help="Why you ask by a business key; it is recorded.")
@click.option(
    "--since", type=Moment(), metavar="TIME", help="Of a business key, journeys of then or later: 2026-11-23T10:15 (UTC), or an age: 2h."
)
@click.option("--until", type=Moment(), metavar="TIME", help="Of a business key, journeys from before then.")
@home_option
@json_option
@watch_option
def trace(
    any_id: str, by: str, reference: str, reason: str | None, since: datetime | None, until: datetime | None, home: Path, as_json: bool
) -> None:
    """Tell the whole journey of a call or message: consumer, Envoy, adapter, exchange, far system.

    ID is whatever you have: a call id, a message id, a trace id, the number of a ledger record. Where a step should be there and is not, it
    is shown as missing, with the reason.
    """
    from hub.cli.journey import showing

    learnt = click.get_current_context().meta.setdefault(LEARNT, {})
    known = learnt.get("journey", "")
    asked = Asked(known, "trace") if known else _asked(any_id.strip(), by, reference, reason or "", since, until)
    response = _ask(home, asked, as_json=as_json)
    learnt["journey"] = response.journey.journey_id
    if as_json:
        printing.print_json(showing.document(response))
        return
    for line in showing.lines(response):
        click.echo(line)


def _asked(any_id: str, by: str, reference: str, reason: str, since: datetime | None, until: datetime | None) -> Asked:
    """What to ask. Raises `click.UsageError`, which never repeats a business key."""
    from hub.journey.ids import IdKind, kind_of
    from metip.identifiers import PARSERS

    if bool(any_id) == bool(by):
        raise click.UsageError("give an ID, or the kind of a business key with --by")
    if by and by != ANY and by not in PARSERS:
        raise click.UsageError(f"--by: there is no kind {by}; there are {ANY}, {', '.join(sorted(PARSERS))}")
    if any_id and kind_of(any_id) is not IdKind.BUSINESS_KEY:
        if since or until:
            raise click.UsageError("--since and --until are for business keys, of which there may be several journeys")
        return Asked(any_id, reference=reference.strip(), reason=reason)
    if not (reference.strip() and reason):
        raise click.UsageError("a business key is personal: to ask by it takes --reference and --reason, and is recorded")
    if since and until and since >= until:
        raise click.UsageError("--since is not before --until")
    key = any_id or _prompted("key" if by == ANY else by.replace("_", " "))
    return Asked(key, "business-key", "" if by == ANY else by, reference.strip(), reason, since, until)


def _prompted(words: str) -> str:
    """A key that somebody types, or pipes in as a line."""
    value = str(click.prompt(words, hide_input=True, err=True)) if sys.stdin.isatty() else sys.stdin.readline(LONGEST_KEY + 1)
    if not value.strip():
        raise click.UsageError(f"no {words} was given: type it at the prompt, or pipe it in as a line")
    return value.strip()


def _ask(home: Path, asked: Asked, *, as_json: bool) -> Any:
    """The hub's answer; a refusal is printed and ends the command with status 1. Raises `Problem`."""
    import grpc

    from hub.cli.client import place
    from hub.cli.refusals import print_refusal, refusal_of

    where = place(home)
    try:
        return asyncio.run(_answer(where, asked))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise Problem("this hub tells no journeys", "it is older than `metip trace`: update it") from None
        if error.code() is grpc.StatusCode.UNAVAILABLE and "JOURNAL" not in (error.details() or ""):
            raise Problem(f"the hub at {where.hub} does not answer", "start it with `metip up`") from None
        print_refusal(refusal_of(error), as_json=as_json)
        raise click.exceptions.Exit(1) from None


async def _answer(where: Any, asked: Asked) -> Any:
    from hub.cli.client import hub_channel
    from hub.cli.ledger.asking import operator
    from metip.journey.v1.journey_service_pb2_grpc import JourneyServiceStub

    async with hub_channel(where) as channel:
        stub: Any = JourneyServiceStub(channel)
        return await stub.GetJourney(asked.request(), metadata=[("x-metip-operator", operator())], timeout=PATIENCE)
