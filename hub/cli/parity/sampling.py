"""`metip parity sample` and `sampling`: which share of a query's calls the other platform is asked too, and what became of them."""

from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.parity.connecting import Asker, Share, asked, asking_options, share
from hub.cli.printing import OK, mark
from hub.cli.watching import watch_option


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip parity sample metip.example.v1.ExampleService/GetExample --share 10% --again 5% --reason 'Shadow'\n"
    "  metip parity sample metip.example.v1.ExampleService/GetExample --share 0% --reason 'Enough'\n\n"
    "What may be sampled is the contract's mirror policy: NEVER and anything with side effects is not, whatever is asked; RECORDED is "
    "compared on recordings only; REPLICA asks copies and simulators only; SAMPLED needs a cap. Each look-up has a record of its own.",
)
@click.argument("operation")
@click.option("--share", "per_million", type=Share(), required=True, metavar="SHARE", help="Such as 1%; 0% ends it.")
@click.option(
    "--again", type=Share(), default="0%", metavar="SHARE", help="Of those, the share asked twice of who answered, to learn noise."
)
@click.option("--cap", type=click.IntRange(0, 100_000), default=0, metavar="NUMBER", help="Most look-ups at live systems in an hour.")
@click.option("--shadow", default="", metavar="SYSTEM", help="Who is asked too, where several systems serve it beside its owner.")
@asking_options(why=True)
def sample(asker: Asker, operation: str, per_million: int, again: int, cap: int, shadow: str) -> None:
    """Set the share of an OPERATION's calls that the other platform is asked too."""
    from metip.parity.v1.sampling_service_pb2 import Sampling, SetSamplingRequest

    one = Sampling(operation=operation, per_million=per_million, again_per_million=again, cap_per_hour=cap, shadow=shadow)
    asked(asker, lambda hub: hub.ask(hub.sampling.SetSampling, SetSamplingRequest(sampling=one, because=asker.reason)))
    if asker.as_json:
        printing.print_json(_setting(one))
    else:
        click.echo(f"{mark(OK)} {share(per_million)} of {operation} is asked twice; adapters hear of it within seconds")


@click.command(epilog="\b\nExamples:\n  metip parity sampling\n  metip parity sampling --json")
@asking_options(why=False)
@watch_option
def sampling(asker: Asker) -> None:
    """Show what is sampled, and what became of it since the hub started."""
    from metip.parity.v1.sampling_service_pb2 import GetSamplingRequest

    found = asked(asker, lambda hub: hub.ask(hub.sampling.GetSampling, GetSamplingRequest()))
    if asker.as_json:
        counts = [_count(one) for one in found.counts]
        printing.print_json({"samplings": [_setting(one) for one in found.samplings], "counts": counts})
        return
    if not found.samplings:
        click.echo("nothing is sampled")
    else:
        rows = [
            (one.operation, share(one.per_million), share(one.again_per_million), str(one.cap_per_hour or "-"), one.waiting or "sampled")
            for one in found.samplings
        ]
        printing.print_table(("operation", "share", "again", "cap", "state"), rows)
    if found.counts:
        counted = [
            (
                one.operation,
                *(f"{value:,}" for value in (one.offered, one.recorded, one.asked, one.again, one.compared)),
                ", ".join(f"{drop.cause.lower().replace('_', ' ')} {drop.count:,}" for drop in one.drops),
            )
            for one in found.counts
        ]
        printing.print_table(("operation", "offered", "recorded", "asked", "again", "compared", "dropped"), counted)


def _setting(one: Any) -> dict[str, Any]:
    names = ("operation", "per_million", "again_per_million", "cap_per_hour", "shadow", "waiting")
    return {name: getattr(one, name) for name in names}


def _count(one: Any) -> dict[str, Any]:
    names = ("operation", "offered", "recorded", "asked", "again", "compared")
    return {name: getattr(one, name) for name in names} | {"dropped": {drop.cause: drop.count for drop in one.drops}}
