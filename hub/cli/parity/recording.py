"""`metip parity record`, `recordings`, `stop` and `erase`: calls as one platform answered them, kept sealed for a time."""

from datetime import timedelta
from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.moments import written
from hub.cli.parity.connecting import Asker, Length, Share, asked, asking_options, share
from hub.cli.printing import OK, mark
from hub.cli.watching import watch_option


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip parity record metip.example.v1.ExampleService --for 2h --share 1% --reason 'Evidence for the board'\n"
    "  metip parity record metip.example.v1.ExampleService/GetExample --for 7d --share 100% --keep 14d --reason 'Pilot'\n\n"
    "Nobody is asked anything: what callers ask the old platform is kept as it was answered, without their names and reasons, sealed for "
    "the hub alone. `metip parity replay` then asks the new platform the same. The recording is in the ledger, and so are its end, each "
    "replay, and its erasure, which comes by itself.",
)
@click.argument("interface")
@click.option("--for", "lasting", type=Length(), required=True, metavar="TIME", help="For how long, such as 2h or 7d; at most 31d.")
@click.option("--share", "per_million", type=Share(), required=True, metavar="SHARE", help="Which share of its calls, such as 1%.")
@click.option("--keep", type=Length(), default="30d", show_default=True, metavar="TIME", help="For how long what it holds is kept.")
@click.option("--system", default="", metavar="SYSTEM", help="Whose answers; the one that serves it beside its owner where there is one.")
@asking_options(why=True)
def record(asker: Asker, interface: str, lasting: float, per_million: int, keep: float, system: str) -> None:
    """Keep a share of calls of an INTERFACE, or of one operation, as one platform answered them."""
    from metip.parity.v1.recording_service_pb2 import StartRecordingRequest

    if not per_million:
        raise click.UsageError("--share: a share above zero is needed")
    request = StartRecordingRequest(access=asker.access, interface=interface, per_million=per_million, system=system)
    request.lasting.FromTimedelta(timedelta(seconds=lasting))
    request.retention.FromTimedelta(timedelta(seconds=keep))
    one = asked(asker, lambda hub: hub.ask(hub.recordings.StartRecording, request)).recording
    if asker.as_json:
        printing.print_json(document(one))
        return
    count = printing.count(len(one.operations), "operation")
    click.echo(f"{mark(OK)} {one.id} keeps {share(one.per_million)} of {count} as {one.system} answers, until {written(one.until)}")
    click.echo(f"  its content is erased by {written(one.erased_by)}; replay it with: metip parity replay {one.id} --reason …")


@click.command(epilog="\b\nExamples:\n  metip parity recordings\n  metip parity recordings --json")
@asking_options(why=False)
@watch_option
def recordings(asker: Asker) -> None:
    """List recordings, those that were erased too."""
    from metip.parity.v1.recording_service_pb2 import ListRecordingsRequest

    found = asked(asker, lambda hub: hub.ask(hub.recordings.ListRecordings, ListRecordingsRequest())).recordings
    if asker.as_json:
        printing.print_json({"recordings": [document(one) for one in found]})
        return
    if not found:
        click.echo("there are no recordings")
        return
    rows = [
        (one.id, one.system, str(len(one.operations)), share(one.per_million), f"{one.calls:,}", f"{one.dropped:,}", _state(one))
        for one in found
    ]
    printing.print_table(("recording", "answers of", "operations", "share", "calls", "dropped", "state"), rows)


@click.command(cls=Changing, epilog="\b\nExamples:\n  metip parity stop 20261126-0a1b2c3d --reason 'Enough evidence'")
@click.argument("recording")
@asking_options(why=True)
def stop(asker: Asker, recording: str) -> None:
    """End a RECORDING before its time; what it holds is kept until it is erased."""
    from metip.parity.v1.recording_service_pb2 import StopRecordingRequest

    request = StopRecordingRequest(access=asker.access, recording=recording)
    one = asked(asker, lambda hub: hub.ask(hub.recordings.StopRecording, request)).recording
    if asker.as_json:
        printing.print_json(document(one))
        return
    click.echo(f"{mark(OK)} {one.id} has ended; it holds {printing.count(one.calls, 'call')} until {written(one.erased_by)}")


@click.command(cls=Changing, epilog="\b\nExamples:\n  metip parity erase 20261126-0a1b2c3d --reason 'The board has decided'")
@click.argument("recording")
@asking_options(why=True)
def erase(asker: Asker, recording: str) -> None:
    """Destroy the keys and the content of a RECORDING; what was made of it stays in the report."""
    from metip.parity.v1.recording_service_pb2 import EraseRecordingRequest

    request = EraseRecordingRequest(access=asker.access, recording=recording)
    one = asked(asker, lambda hub: hub.ask(hub.recordings.EraseRecording, request)).recording
    if asker.as_json:
        printing.print_json(document(one))
        return
    click.echo(f"{mark(OK)} {one.id} is erased")


def document(one: Any) -> dict[str, Any]:
    """A recording as JSON."""
    return {
        "id": one.id,
        "operations": list(one.operations),
        "system": one.system,
        "per_million": one.per_million,
        "started": one.started.ToJsonString(),
        "until": one.until.ToJsonString(),
        "erased_by": one.erased_by.ToJsonString(),
        "calls": one.calls,
        "dropped": one.dropped,
        "running": one.running,
        "erased": one.erased.ToJsonString() if one.HasField("erased") else None,
    }


def _state(one: Any) -> str:
    if one.HasField("erased"):
        return f"erased {written(one.erased)}"
    return f"until {written(one.until)}" if one.running else f"kept until {written(one.erased_by)}"
