"""`metip traffic undo`, `adopt`, `reset` and `preview`: the way back, and what would happen."""

from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Words
from hub.cli.options import home_option, json_option
from hub.cli.printing import OK, mark
from hub.cli.traffic.asking import TrafficClient, asked, print_answer

BECAUSE = click.option("--because", type=Words(), required=True, metavar="WORDS", help="Why; it is recorded, so it names nobody.")


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n  metip traffic undo 12 --because 'CHG-17 is over'\n"
    "  metip traffic undo --because 'not that'                               the latest change that is in force",
)
@click.argument("number", type=click.IntRange(1), required=False)
@BECAUSE
@home_option
@json_option
def undo(home: Any, as_json: bool, number: int | None, because: str) -> None:
    """Put back what change NUMBER changed, or call off one that waits for its time.

    Refused while later changes stand on it; the refusal names them. An undo can be undone.
    """
    from google.protobuf.json_format import MessageToDict

    from metip.traffic.v1.traffic_service_pb2 import UndoChangeRequest

    async def work(client: TrafficClient) -> Any:
        return await client.ask("UndoChange", UndoChangeRequest(number=number or 0, because=because))

    answer = asked(home, as_json, work)
    if as_json:
        printing.print_json(MessageToDict(answer, preserving_proto_field_name=True))
    else:
        print_answer(answer, answer.preview)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n  metip traffic adopt --because 'moved by hand at night, INC-4'\n"
    "  metip traffic adopt weight.metip.example.v1.ExampleService --because INC-4",
)
@click.argument("keys", nargs=-1)
@BECAUSE
@home_option
@json_option
def adopt(home: Any, as_json: bool, keys: tuple[str, ...], because: str) -> None:
    """Take weights that were set by hand in Envoy into the settings, so that they last; all, or those of KEYS. No call moves by it."""
    _settled(home, keys, because, as_json=as_json, adopt=True)


@click.command(cls=Changing, epilog="\b\nExamples:\n  metip traffic reset --because 'INC-4 is over'")
@click.argument("keys", nargs=-1)
@BECAUSE
@home_option
@json_option
def reset(home: Any, as_json: bool, keys: tuple[str, ...], because: str) -> None:
    """Take back what was set by hand in Envoy, all, or KEYS: what the hub says holds again."""
    _settled(home, keys, because, as_json=as_json, adopt=False)


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="\b\nExamples:\n  metip traffic preview shift ExampleService example=95 other=5\n  metip traffic preview drain example",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def preview(ctx: click.Context, command: tuple[str, ...]) -> None:
    """Say what COMMAND, one of `metip traffic` that changes something, would do. Nothing happens."""
    from hub.cli.traffic import traffic

    name, *arguments = command
    found = traffic.get_command(ctx, name)
    if found is None or not any(one.name == "dry_run" for one in found.params):
        raise click.UsageError(f"{name} is no command of `metip traffic` that can be previewed")
    found.main([*arguments, "--dry-run"], prog_name=f"metip traffic {name}", standalone_mode=True)


def _settled(home: Any, keys: tuple[str, ...], because: str, *, as_json: bool, adopt: bool) -> None:
    from google.protobuf.json_format import MessageToDict

    from metip.traffic.v1.traffic_service_pb2 import SettleOverridesRequest

    async def work(client: TrafficClient) -> Any:
        return await client.ask("SettleOverrides", SettleOverridesRequest(keys=keys, because=because, adopt=adopt))

    answer = asked(home, as_json, work)
    if as_json:
        printing.print_json(MessageToDict(answer, preserving_proto_field_name=True))
        return
    for key in answer.keys:
        click.echo(f"{mark(OK)} {key} is {'in the settings now' if adopt else 'as the hub says again'}")
    if answer.HasField("change"):
        click.echo(f"  undo: metip traffic undo {answer.change.number} --because WORDS")
