"""`metip ledger search` and `show`: the records that a query finds, and one record."""

from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.ledger.asking import Asker, Ledger, asked, asking_options
from hub.cli.ledger.queries import Wanted, query_options

LIMIT: Final = 100
LARGEST_PAGE: Final = 1000


@click.command(
    epilog="\b\nExamples:\n"
    "  metip ledger search --by vrm --reason 'Complaint 17'                       asks for the number\n"
    "  metip ledger search --by name_and_birth --since 2y --reason 'Access request 4'\n"
    "  metip ledger search --subject-file case.txt --reason 'Case 12' --json\n"
    "  metip ledger search --by officer --operation 'metip.example.v1.ExampleService/*' --reason 'Inquiry 3'\n"
    "  metip ledger search --outcome RESTRICTED --since 24h --reason 'Morning look'\n\n"
    "A subject file has one identifier a line: `vrm AB12CDE`, `name_and_birth SURNAME|FORENAME|YYYY-MM-DD`, `officer NUMBER`, "
    "`reference NUMBER`. Ends with status 0 whether or not it finds any."
)
@query_options
@click.option("--limit", type=click.IntRange(1), default=LIMIT, show_default=True, help="How many to show at the most.")
@asking_options
def search(asker: Asker, wanted: Wanted, limit: int) -> None:
    """Find records, newest first; what is sealed in them stays sealed.

    All that is said must hold; of several subjects any.
    """
    from hub.cli.ledger import documents

    query = wanted.query()
    lines, more = asked(asker, lambda ledger: found(ledger, asker, query, limit))
    if asker.as_json:
        printing.print_json({"records": [documents.line(one) for one in lines], "more": more})
    elif not lines:
        click.echo("no record matches")
    else:
        printing.print_table(documents.COLUMNS, [documents.row(one) for one in lines])
        words = "there are more: --limit shows them" if more else printing.count(len(lines), "record")
        click.echo(printing.dim(words), err=True)


async def found(ledger: Ledger, asker: Asker, query: Any, limit: int) -> tuple[list[Any], bool]:
    """What a query finds, page by page, and whether there is more."""
    from metip.ledger.v1.ledger_service_pb2 import SearchRecordsRequest

    request, lines = SearchRecordsRequest(access=asker.access, query=query), []  # type: ignore[var-annotated]
    while True:
        request.page_size = min(LARGEST_PAGE, limit - len(lines))
        reply = await ledger.ask("SearchRecords", request)
        lines += reply.lines
        request.page_token = reply.next_page_token
        if not reply.next_page_token or len(lines) >= limit:
            return lines, bool(reply.next_page_token)


@click.command(
    epilog="\b\nExamples:\n"
    "  metip ledger show 41 --reason 'Complaint 17'\n"
    "  metip token issue --role unmask > token.txt; metip ledger show 41 --unmask --token-file token.txt --reason 'Complaint 17'\n\n"
    "The person, the reference and the reason behind a record are sealed. --unmask needs an officer's token with the role unmask, and is "
    "recorded with the officer, the purpose and the reason. The blind index's tokens are never shown."
)
@click.argument("index", type=click.IntRange(0), metavar="RECORD")
@click.option("--unmask", is_flag=True, help="Show what is sealed; needs --token-file.")
@asking_options
def show(asker: Asker, index: int, unmask: bool) -> None:
    """Show RECORD, by its number in the ledger."""
    from hub.cli.ledger import documents
    from metip.ledger.v1.ledger_service_pb2 import GetRecordRequest

    request = GetRecordRequest(access=asker.access, index=index, unmask=unmask)
    reply = asked(asker, lambda ledger: ledger.ask("GetRecord", request))
    opened = reply.particulars if reply.HasField("particulars") else None
    if asker.as_json:
        document = documents.line(reply.line)
        printing.print_json(document | ({"particulars": documents.particulars(opened)} if opened is not None else {}))
        return
    for text in printing.aligned(documents.shown(reply.line, opened)):
        click.echo(text)
