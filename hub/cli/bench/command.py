"""`metip bench`: calls one query of a running estate at a rate, with its synthetic sample, and prints times and errors."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import printing
from hub.cli.options import Problem, Seconds, home_option, json_option
from hub.cli.printing import FAILED, OK, WARNED, mark, span

if TYPE_CHECKING:
    from hub.cli.bench.running import Outcome, Plan
    from hub.cli.client import Place
    from hub.cli.messages import Messages
    from hub.contracts.samples import Sample

MOST_CALLS: Final = 60_000
LONGEST: Final = 600.0
LATE: Final = 0.05
"""Seconds that half of the calls may be sent late before that is said: the times then tell of this machine, or of too few under way."""


@click.command(
    epilog="\b\nExamples:\n"
    "  metip bench GetExample\n"
    "  metip bench GetExample --rate 200 --concurrency 64 --duration 30s\n"
    "  metip bench GetExample --rate 20 --json\n"
    "  metip bench GetExample --context force --live --rate 5 --because 'CHG-21, after the move'\n\n"
    "Only queries are called, only with the request of the operation's sample case, whose people are made up; and each call is a "
    "consultation, recorded like any other. Times count from when a call was due, whether or not it could be sent then. Ends with status 1 "
    "if a call failed or could not be made. At most 60,000 calls, in ten minutes."
)
@click.argument("operation")
@click.option("--rate", type=click.FloatRange(0.1, 2000), default=50.0, show_default=True, metavar="NUMBER", help="Calls a second.")
@click.option("--concurrency", type=click.IntRange(1, 256), default=32, show_default=True, metavar="NUMBER", help="Most under way at once.")
@click.option("--duration", type=Seconds(), default="10s", show_default=True, metavar="TIME", help="For how long.")
@click.option("--as", "name", default="developer", show_default=True, metavar="NAME", help="Identity to call under.")
@click.option("--live", is_flag=True, help="Do it in a live context; takes --because.")
@click.option("--because", default="", metavar="WORDS", help="Why; it is recorded.")
@home_option
@json_option
def bench(
    operation: str, rate: float, concurrency: int, duration: float, name: str, live: bool, because: str, home: Path, as_json: bool
) -> None:
    """Call one query of a running estate at a rate, and say how it answered."""
    from hub.cli.bench.running import Plan
    from hub.cli.client import place
    from hub.cli.contexts.guarding import note
    from hub.cli.messages import installed

    _permitted(live, because)
    plan = Plan(rate, concurrency, duration)
    if duration > LONGEST or plan.calls > MOST_CALLS:
        raise Problem(f"that would be {plan.calls:,} calls in {span(duration)}", f"at most {MOST_CALLS:,}, in {span(LONGEST)}")
    messages, where = installed(), place(home)
    sample = _sample(operation, messages)
    if because:
        note(where, "cli/bench", f"{sample.operation.name}, {plan.calls} calls: {because}")
    found = asyncio.run(_run(where, name, messages, sample, plan))
    if as_json:
        printing.print_json({"operation": sample.operation.name, **found.document()})
    else:
        _print(sample, found)
    if not found.well:
        click.get_current_context().exit(1)


def _permitted(live: bool, because: str) -> None:
    from hub.cli.contexts.choosing import chosen

    choice = chosen()
    one = choice.context if choice is not None else None
    if one is not None and one.live and not (live and because.strip()):
        raise Problem(f"{one.name} is a live context; nothing is called", "if it must be: --live and --because WORDS")


def _sample(text: str, messages: "Messages") -> "Sample":
    """The sample of a query. Raises `Problem` for what is no query, or has no sample that is answered."""
    from hub.cli.messages import operation_named
    from hub.contracts.samples import sample_of

    one = operation_named(text, messages.contracts)
    if one.delivery_class.name != "READ":
        raise Problem(f"{one.name} is no query: to call it again and again would do something again and again", "choose a query")
    sample = sample_of(one, messages)
    if sample is None or sample.status != "OK" or sample.dials:
        raise Problem(
            f"no case is marked as the sample of {one.name} that is simply answered", "choose another; `metip grpcurl` lists them"
        )
    return sample


async def _run(where: "Place", name: str, messages: "Messages", sample: "Sample", plan: "Plan") -> "Outcome":
    from hub.cli.bench.running import run
    from hub.cli.client import Edge, edge_channel
    from hub.cli.staging import ask

    token = where.token(name) if sample.operation.officer_admissible else ""
    async with edge_channel(where, where.identity(name)) as channel:
        edge = Edge(channel, messages)

        async def once() -> tuple[str, str]:
            answer = await ask(edge, sample.operation, sample.request, token=token, within=None)
            return answer.status, answer.refusal.reason if answer.refusal is not None else ""

        first = await ask(edge, sample.operation, sample.request, token=token, within=None)  # it makes the connection as well
        if first.refusal is not None:
            raise Problem(f"the first call was refused, so no other was made: {first.words()}", first.refusal.advice)
        return await run(plan, once)


def _print(sample: "Sample", found: "Outcome") -> None:
    from hub.cli.bench.running import figures

    said, plan = found.document(), found.plan
    click.echo(
        f"{mark(OK if found.well else FAILED)} {sample.operation.name}: {found.answered:,} of {plan.calls:,} calls answered, "
        f"{said['answered_per_second']:,}/s of {plan.rate:g}/s"
    )
    rows = [("from when it was due", found.from_due), ("from when it was sent", found.from_sent), ("sent late by", found.late)]
    told = [(words, figures(times)) for words, times in rows if times]
    if told:
        columns = tuple(told[0][1])
        printing.print_table(("milliseconds", *columns), [(words, *(f"{one[column]:,.1f}" for column in columns)) for words, one in told])
    if found.unmade:
        click.echo(f"{mark(FAILED)} {found.unmade:,} calls were never made: {plan.concurrency} were under way all the time")
    errors: list[dict[str, Any]] = said["errors"]
    if errors:
        printing.print_table(("calls", "status", "reason"), [(f"{one['calls']:,}", one["status"], one["reason"]) for one in errors])
    if found.late and sorted(found.late)[len(found.late) // 2] > LATE:
        click.echo(f"{mark(WARNED)} half of the calls were sent late: this machine, or --concurrency, is the limit, not the estate")
