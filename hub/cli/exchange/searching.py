"""`metip messages find`: messages by whom or what they are about; none is opened, and the search is recorded for whoever is looked for."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.exchange.asking import Caller, Words, asked, caller_options, purpose_named
from hub.cli.exchange.moments import Moment, written
from hub.cli.exchange.names import operation_named
from hub.cli.ledger.identifiers import OFFICER, REFERENCE, add_identifiers
from hub.cli.printing import clean

LIMIT: Final = 100
LARGEST_PAGE: Final = 1000
COLUMNS: Final = ("message", "operation", "accepted (UTC)", "producer", "call", "record")


@click.command(
    epilog="\b\nExamples:\n"
    "  metip messages find --by vrm --purpose audit --reference 1234/23NOV26 --reason 'Complaint 17'      asks for the number\n"
    "  metip messages find --subject-file case.txt --purpose audit --reference CHG-17 --reason 'Case 12' --json\n"
    "  metip messages find --call-id 6f1f0d5e-… --purpose audit --reference INC-4 --reason 'Alert 9' --since 2h\n\n"
    "A subject file has one identifier a line: `vrm AB12CDE`, `custody_number 01ZD/1234/26`, `name_and_birth SURNAME|FORENAME|YYYY-MM-DD`. "
    "What is found may have been delivered and forgotten since: its record in the ledger is there. Ends with status 0 whether or not it "
    "finds any."
)
@click.option("--by", multiple=True, metavar="KIND", help="About an identifier of this kind, such as vrm; its value is asked for.")
@click.option(
    "--subject-file", "file", type=click.Path(path_type=Path), metavar="FILE", help="About identifiers in a file, one a line; - for input."
)
@click.option("--call-id", default="", metavar="ID", help="Of this call.")
@click.option("--operation", default="", metavar="NAME", help="Of this operation.")
@click.option("--since", type=Moment(), metavar="TIME", help="Accepted then or later: 2026-11-23T10:15 (UTC), or an age: 2h.")
@click.option("--until", type=Moment(), metavar="TIME", help="Accepted before then.")
@click.option("--limit", type=click.IntRange(1), default=LIMIT, show_default=True, help="How many to show at the most.")
@click.option("--purpose", required=True, metavar="PURPOSE", help="What for: audit.")
@click.option("--reference", required=True, metavar="REFERENCE", help="The incident, request or case that it belongs to; it is recorded.")
@click.option("--reason", type=Words(), required=True, metavar="WORDS", help="Why, in your words; it is recorded.")
@caller_options
def find(
    caller: Caller,
    by: tuple[str, ...],
    file: Path | None,
    call_id: str,
    operation: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    purpose: str,
    reference: str,
    reason: str,
) -> None:
    """Find messages by whom or what they are about, without opening any.

    The newest come first. A message is found some moments after it was accepted.
    """
    from metip.common.v1.access_pb2 import AccessContext
    from metip.exchange.v1.finding_pb2 import FindMessagesRequest

    access = AccessContext(purpose=purpose_named(purpose), reference=reference, justification=reason)
    request = FindMessagesRequest(access=access, subjects=_subjects(by, file), call_id=call_id)
    if not request.subjects and not call_id:
        raise click.UsageError("say what they are about: --by KIND, --subject-file FILE or --call-id ID")
    if since:
        request.accepted_from.FromDatetime(since)
    if until:
        request.accepted_before.FromDatetime(until)

    async def ask(exchange: Any) -> tuple[list[Any], bool]:
        if operation:
            request.operation = operation_named(operation, [one.subscription for one in await exchange.subscriptions()])
        return await _found(exchange, request, limit)

    found, more = asked(caller, ask)
    if caller.as_json:
        printing.print_json({"messages": [document(one) for one in found], "more": more})
    elif not found:
        click.echo("no message is found")
    else:
        rows = [tuple(clean(str(value)) for value in document(one).values()) for one in found]
        printing.print_table(COLUMNS, rows)
        words = "there are more: --limit shows them" if more else printing.count(len(found), "message")
        click.echo(printing.dim(words), err=True)


def document(one: Any) -> dict[str, Any]:
    """A message that was found, as JSON and as a row."""
    return {
        "message_id": one.message_id,
        "operation": one.operation.rpartition("/")[2],
        "accepted": written(one.accepted),
        "producer": one.producer,
        "call_id": one.call_id,
        "record": one.record,
    }


async def _found(exchange: Any, request: Any, limit: int) -> tuple[list[Any], bool]:
    found: dict[str, Any] = {}
    while True:
        request.page_size = min(LARGEST_PAGE, limit - len(found))
        reply = await exchange.ask("FindMessages", request)
        for one in reply.messages:
            found.setdefault(one.message_id, one)
        request.page_token = reply.next_page_token
        if not reply.next_page_token or len(found) >= limit:
            return list(found.values()), bool(reply.next_page_token)


def _subjects(by: tuple[str, ...], file: Path | None) -> list[Any]:
    from metip.ledger.v1.query_pb2 import Query

    if {OFFICER, REFERENCE} & set(by):
        raise click.UsageError(
            "messages are found by whom they are about; by officer or reference `metip ledger search` finds their records"
        )
    query = Query()
    add_identifiers(query, by, file)
    if query.officer or query.reference:
        raise click.UsageError("a subject file of messages names no officer and no reference: `metip ledger search` finds their records")
    return list(query.subjects)
