"""`metip parity replay`: each recorded call is asked of the other platform, and both answers are compared."""

import sys
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.parity.connecting import Asker, Hub, asked, asking_options
from hub.cli.printing import OK, WARNED, mark

DAY: Final = 86400.0


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip parity replay 20261126-0a1b2c3d --reason 'Evidence for the board'\n"
    "  metip parity replay 20261126-0a1b2c3d --follow --reason 'While it is recorded'\n"
    "  metip parity replay 20261126-0a1b2c3d --anew --json --reason 'After the fix'\n\n"
    "Only a copy or a simulator is asked: every instance of the system must say that it is one (settings: serving.replica). A replay that "
    "was cut off, by Ctrl-C too, goes on where it stopped. Its findings are in `metip parity report`. Ends with status 1 when a call "
    "could not be asked or opened.",
)
@click.argument("recording")
@click.option("--against", default="", metavar="SYSTEM", help="The system that is asked; the interface's owner unless named.")
@click.option("--anew", is_flag=True, help="Begin anew, not where the last replay to that system stopped.")
@click.option("--follow", is_flag=True, help="Go on for as long as it is recorded.")
@asking_options(why=True)
def replay(asker: Asker, recording: str, against: str, anew: bool, follow: bool) -> None:
    """Ask the other platform each call of a RECORDING, and compare."""
    from metip.parity.v1.recording_service_pb2 import ReplayRecordingRequest

    request = ReplayRecordingRequest(access=asker.access, recording=recording, against=against, anew=anew, follow=follow)
    shown = sys.stderr.isatty() and not asker.as_json

    async def follow_it(hub: Hub) -> Any:
        last: Any = None
        async for last in hub.recordings.ReplayRecording(request, metadata=hub.metadata, timeout=DAY):
            if shown:
                click.echo(f"\r  {last.position:,} of {last.total:,}", nl=False, err=True)
        if shown:
            click.echo("\r", nl=False, err=True)
        return last

    last = asked(asker, follow_it)
    failed = dict(last.failed)
    if asker.as_json:
        printing.print_json(
            {
                "recording": recording,
                "total": last.total,
                "position": last.position,
                "asked": last.asked,
                "compared": last.compared,
                "failed": failed,
                "done": last.done,
            }
        )
    else:
        state = WARNED if failed else OK
        click.echo(f"{mark(state)} {printing.count(last.compared, 'call')} compared; {last.position:,} of {last.total:,} are done")
        for cause, count in sorted(failed.items()):
            click.echo(f"  {count:,} not asked: {cause.lower().replace('_', ' ')}")
    if failed:
        raise click.exceptions.Exit(1)
