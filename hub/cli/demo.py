"""`metip demo`: an estate of its own, the scenarios, what happened, and the end; exit 0 if all went as expected."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import before_grpc, estate_options, json_option
from hub.cli.printing import FAILED, OK, count, mark, span, title

if TYPE_CHECKING:
    from hub.cli.staging import Outcome
    from hub.cli.starting import Stopper
    from hub.cli.up import Progress
    from hub.laptop.estate import Options
    from hub.laptop.layout import Home


@click.command(
    epilog="\b\nExamples:\n  metip demo\n  metip demo --json > demo.json\n  metip demo --home /tmp/demo --workers 2\n\n"
    "Ends with status 0 if everything went as expected, and 1 otherwise; then the home is kept, for its logs."
)
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Folder to keep it all in; default: a temporary one.")
@json_option
@estate_options
def demo(home: Path | None, as_json: bool, systems: tuple[str, ...], workers: int, seed: int, xds: str) -> None:
    """Play the scenarios on an estate of their own, say what happened, and end.

    Each operation's sample; one question to several sources; the same while one is silent; who may not call; the hub killed.
    """
    before_grpc()
    from hub.cli.starting import Stopper, check_systems
    from hub.cli.up import Progress
    from hub.laptop.claiming import free_ports
    from hub.laptop.estate import Options
    from hub.laptop.layout import Home
    from hub.laptop.preparing import Ports

    check_systems(systems)
    root = home or Path(tempfile.mkdtemp(prefix="metip-demo-"))
    where, progress = Home.at(root), Progress()
    if as_json:
        progress.print = lambda words: click.echo(words, err=True)
    stopper = Stopper(where, progress.say)
    options = Options(Ports(*free_ports(2)), workers=workers, seed=seed, xds=xds, only=systems)
    outcomes = stopper.run(lambda: _demo(where, options, progress, stopper, as_json=as_json)) or []
    well = bool(outcomes) and all(one.right for one in outcomes)
    if as_json:
        printing.print_json({"well": well, "seconds": round(progress.elapsed, 2), "outcomes": [one.document() for one in outcomes]})
    elif not stopper.told:
        click.echo(f"\n{summary(outcomes, progress.elapsed)}")
    if home is None and (well or stopper.told):
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(where.run, ignore_errors=True)
    elif not well:
        click.echo(f"its logs are in {where.logs}", err=True)
    if not well:
        click.get_current_context().exit(1)


async def _demo(home: "Home", options: "Options", progress: "Progress", stopper: "Stopper", *, as_json: bool) -> "list[Outcome]":
    from hub.cli.client import place
    from hub.cli.gathering import gather
    from hub.cli.messages import installed
    from hub.cli.scenarios import play
    from hub.cli.staging import stage
    from hub.laptop.estate import running

    outcomes: list[Outcome] = []
    async with running(home, options, progress.say):
        progress.say(f"{mark(OK)} ready: {count(len(options.systems), 'system')} in {home.root}")
        where = place(home.root)
        state = await gather(where)
        served = {one.name for one in state.interfaces if one.healthy}
        async with stage(where, installed(), served) as on:
            async for outcome in play(on, lambda words: click.echo(f"\n{title(words)}", err=as_json)):
                for line in lines(outcome):
                    click.echo(line, err=as_json)
                outcomes.append(outcome)
        click.echo(err=as_json)
        stopper.stopping()
    return outcomes


def lines(outcome: "Outcome") -> list[str]:
    """An outcome for people."""
    took = span(outcome.took) if outcome.took is not None else ""
    found = [f"  {mark(OK if outcome.right else FAILED)} {took:>8}  {printing.clean(outcome.what)}"]
    if outcome.told:
        found.append(printing.dim(f"{' ' * 14}{printing.clean(outcome.told)}"))
    return found


def summary(outcomes: "list[Outcome]", elapsed: float) -> str:
    """The last line."""
    wrong = sum(not one.right for one in outcomes)
    scenarios = count(len({one.scenario for one in outcomes}), "scenario")
    if not outcomes:
        return click.style("nothing could be played: no operation has a sample case", fg="red", bold=True)
    if wrong:
        return click.style(f"{wrong} of {len(outcomes)} came otherwise than expected, in {scenarios}, {span(elapsed)}", fg="red", bold=True)
    return click.style(f"all {len(outcomes)} as expected, in {scenarios}, {span(elapsed)}", fg="green", bold=True)
