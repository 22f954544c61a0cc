"""`metip ledger report`: who consulted data on a subject, for that subject or an inquiry; how interfaces were used, for an inspectorate."""

from collections import Counter
from datetime import datetime
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.exchange.moments import Moment, written
from hub.cli.ledger.asking import Asker, asked, asking_options
from hub.cli.ledger.queries import Wanted, query_options
from hub.cli.printing import clean

COLUMNS: Final = ("recorded (UTC)", "verb", "operation", "purpose", "system", "force, unit", "outcome", "disclosed")


@click.group(
    epilog="\b\nExamples:\n"
    "  metip ledger report access --by pnc_id --since 5y --reason 'Access request 4'\n"
    "  metip ledger report use --interface metip.example.v1.ExampleService --since 2026-01-01 --until 2026-07-01 --reason 'Inspection'"
)
def report() -> None:
    """Report who consulted data on a subject, or how interfaces were used."""


@report.command(
    epilog="\b\nExamples:\n"
    "  metip ledger report access --by name_and_birth --reason 'Access request 4'\n"
    "  metip ledger report access --subject-file subject.txt --since 5y --reason 'Access request 4' --json > report.json\n"
    "  metip ledger report access --by vrm --unmask --token-file token.txt --reason 'Inquiry 3'\n\n"
    "Without --unmask a report names force and unit, not the person; --unmask needs an officer's token with the role unmask. What "
    "operators did in the ledger itself is left out unless --kind asks for it."
)
@query_options
@click.option("--unmask", is_flag=True, help="Name the person behind each record, and the reason that they gave; needs --token-file.")
@asking_options
def access(asker: Asker, wanted: Wanted, unmask: bool) -> None:
    """Report who consulted, altered or was given data on a subject, when, for what purpose, by which system; oldest first."""
    from hub.cli.ledger import documents
    from metip.ledger.v1.ledger_service_pb2 import ReportAccessRequest
    from metip.ledger.v1.record_pb2 import KIND_OPERATION

    query = wanted.query()
    if not query.subjects:
        raise click.UsageError("a report on access is on somebody: name them with --by or --subject-file")
    query.kind = query.kind or KIND_OPERATION
    request = ReportAccessRequest(access=asker.access, query=query, unmask=unmask)
    reply = asked(asker, lambda ledger: ledger.ask("ReportAccess", request))
    if asker.as_json:
        lines = [documents.line(one.line) | _opened(one) for one in reply.accesses]
        printing.print_json({"accesses": lines, "more": reply.more})
        return
    if not reply.accesses:
        click.echo("nobody did anything with data on that subject, as far as the ledger knows")
        return
    columns = (*COLUMNS, "person", "reference", "justification") if unmask else COLUMNS
    printing.print_table(columns, [_access(one, unmask) for one in reply.accesses])
    words = printing.count(len(reply.accesses), "record")
    click.echo(printing.dim(f"{words}; there are more: ask for a shorter time" if reply.more else words), err=True)


def _access(one: Any, unmask: bool) -> tuple[str, ...]:
    from hub.cli.rendering import enum_word
    from metip.options.v1 import options_pb2

    record = one.line.record
    verb = enum_word(options_pb2.Verb.DESCRIPTOR, record.verb).lower()
    purpose = enum_word(options_pb2.Purpose.DESCRIPTOR, record.purpose).lower().replace("_", " ") if record.purpose else ""
    unit = clean(" ".join(filter(None, (record.force, record.unit))))
    cells = (
        written(record.at), verb, clean(record.operation.removeprefix("metip.")), purpose, clean(record.consumer), unit,
        clean(record.outcome), str(record.disclosed),
    )  # fmt: skip
    if not unmask:
        return cells
    return (*cells, *(clean(getattr(one.particulars, name)) for name in ("officer", "reference", "justification")))


def _opened(one: Any) -> dict[str, Any]:
    from hub.cli.ledger import documents

    return {"particulars": documents.particulars(one.particulars)} if one.HasField("particulars") else {}


@report.command(
    epilog="\b\nExamples:\n"
    "  metip ledger report use --since 30d --reason 'Inspection'\n"
    "  metip ledger report use --interface metip.example.v1.ExampleService --since 2026-01-01 --reason 'Inspection' --json\n\n"
    "Nothing in it is personal: it counts operations and refusals, and what was disclosed."
)
@click.option("--interface", default="", metavar="NAME", help="Of this interface, in full; otherwise of all.")
@click.option("--since", type=Moment(), metavar="TIME", help="Recorded then or later: 2026-11-23 (UTC), or an age: 30d.")
@click.option("--until", type=Moment(), metavar="TIME", help="Recorded before then.")
@asking_options
def use(asker: Asker, interface: str, since: datetime | None, until: datetime | None) -> None:
    """Count what was done through interfaces, by operation, verb, purpose, consumer and outcome."""
    from hub.cli.rendering import enum_word
    from metip.ledger.v1.ledger_service_pb2 import SummariseUseRequest
    from metip.options.v1 import options_pb2

    request = SummariseUseRequest(access=asker.access, interface=interface)
    if since:
        getattr(request, "from").FromDatetime(since)
    if until:
        request.before.FromDatetime(until)
    found = asked(asker, lambda ledger: ledger.ask("SummariseUse", request)).uses
    verbs, purposes = options_pb2.Verb.DESCRIPTOR, options_pb2.Purpose.DESCRIPTOR
    documents = [
        {
            "interface": one.operation.partition("/")[0],
            "operation": one.operation,
            "verb": enum_word(verbs, one.verb),
            "purpose": enum_word(purposes, one.purpose) if one.purpose else "",
            "consumer": one.consumer,
            "outcome": one.outcome,
            "records": one.records,
            "disclosed": one.disclosed,
        }
        for one in found
    ]
    totals = {name: dict(_totals(documents, name)) for name in ("interface", "verb", "purpose", "consumer", "outcome")}
    if asker.as_json:
        printing.print_json({"uses": documents, "totals": totals})
        return
    if not documents:
        click.echo("nothing was recorded in that time")
        return
    columns = ("operation", "verb", "purpose", "consumer", "outcome", "records", "disclosed")
    printing.print_table(columns, [tuple(clean(str(one[name])) for name in columns) for one in documents])
    for name, counts in totals.items():
        click.echo(printing.title(f"\nby {name}"))
        for text in printing.aligned([(f"{word or '(none)'}", f"{number:,}") for word, number in counts.items()], indent="  "):
            click.echo(text)


def _totals(documents: list[dict[str, Any]], name: str) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for one in documents:
        counts[one[name]] += one["records"]
    return counts.most_common()
