"""`metip migrate propose` and `approve`: four eyes on a step, each with their own key, as for a change of policy."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import printing
from hub.cli.access.approving import KEY, MADE
from hub.cli.exchange.moments import Moment
from hub.cli.migrate.asking import BECAUSE, INTERFACE, asked
from hub.cli.options import Problem, Seconds, home_option, json_option

if TYPE_CHECKING:
    from metip.hub.v1.settings_pb2 import AccessApproval

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command(
    epilog="\b\nExample:\n  metip migrate propose step.json metip.example.v1.ExampleService --to shadow --because 'Board of 12 May' "
    f"--key-file author.key\n\n{MADE}"
)
@FILE
@INTERFACE
@click.option("--to", type=click.Choice(("shadow", "canary", "primary", "new")), required=True, help="The state.")
@click.option("--percent", type=click.IntRange(1, 99), default=None, help="Of a canary: the per cent of calls.")
@BECAUSE
@click.option("--attest", default="", metavar="REFERENCE", help="Evidence where nothing may be compared.")
@click.option("--at", type=Moment(), default=None, metavar="TIME", help="Take it then.")
@click.option("--for", "lasting", type=Seconds(), default=None, metavar="TIME", help="Step back by itself after so long.")
@click.option("--override", is_flag=True, help="An emergency: take it although guards fail.")
@KEY
@home_option
@json_option
def propose(
    file: Path,
    interface: str,
    to: str,
    percent: int | None,
    because: str,
    attest: str,
    at: datetime | None,
    lasting: float | None,
    override: bool,
    key_file: Path,
    home: Path,
    as_json: bool,
) -> None:
    """Sign for a step as its author, into FILE. Nothing moves by that; somebody else approves it, then it is taken with --approved."""
    from hub.access import approving
    from hub.cli.access.approving import _rules, _signer
    from hub.cli.migrate.moving import request_of
    from hub.migration.approvals import content_of
    from metip.migration.v1.migration_service_pb2 import ListStatesRequest

    name, key = _signer(_rules(home), key_file)
    request = request_of(interface, to, percent, because, attest, override, at, lasting)
    states = asked(home, "ListStates", ListStatesRequest(interface=interface), as_json=as_json).interfaces
    approval = approving.proposed(content_of(request), states[0].steps + 1, because, name, key, datetime.now(UTC))
    request.approval.CopyFrom(approval)
    _write(file, request)
    _said(file, request, as_json)


@click.command(epilog=f"\b\nExample:\n  metip migrate approve step.json --key-file approver.key\n\n{MADE}")
@FILE
@KEY
@home_option
@json_option
def approve(file: Path, key_file: Path, home: Path, as_json: bool) -> None:
    """Approve the step in FILE, which somebody else proposed; it says what it does. Then: metip migrate step … --approved FILE."""
    from hub.access import approving
    from hub.cli.access.approving import _rules, _signer
    from hub.migration.approvals import content_of
    from metip.settings import SettingsError

    rules = _rules(home)
    name, key = _signer(rules, key_file)
    request = _read(file)
    try:
        keys = approving.public_keys(rules.approvals, rules.settings_folder)
    except SettingsError as error:
        raise Problem(str(error), MADE) from None
    if faults := list(approving.faults_of_author(request.approval, content_of(request), keys)):
        raise Problem("\n".join(faults), "propose it anew: `metip migrate propose`")
    if request.approval.author.name == name:
        raise Problem("its author can't approve it", "let somebody else do it, with a key of their own")
    request.approval.CopyFrom(approving.approved(request.approval, name, key, datetime.now(UTC)))
    _write(file, request)
    _said(file, request, as_json)


def approval_in(file: Path, request: Any) -> "AccessApproval":
    """The signatures in a file, for exactly that step. Raises `Problem`."""
    from hub.migration.approvals import content_of

    signed = _read(file)
    if content_of(signed) != content_of(request):
        raise Problem(
            f"{file} was signed for another step", "give the same interface, state, reason and times as `metip migrate propose` had"
        )
    return signed.approval  # type: ignore[no-any-return]


def _read(file: Path) -> Any:
    from google.protobuf import json_format

    from metip.migration.v1.migration_service_pb2 import TakeStepRequest

    try:
        return json_format.Parse(file.read_text(encoding="utf-8"), TakeStepRequest())
    except (OSError, UnicodeDecodeError, json_format.ParseError):
        raise Problem(f"{file} is no step that was proposed", "propose one: `metip migrate propose`") from None


def _write(file: Path, request: Any) -> None:
    from google.protobuf import json_format

    try:
        file.write_text(json_format.MessageToJson(request, preserving_proto_field_name=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise Problem(f"{file} can't be written: {error.strerror}") from None


def _said(file: Path, request: Any, as_json: bool) -> None:
    from hub.cli.migrate.words import document, position_word

    approval = request.approval
    if as_json:
        printing.print_json({"file": str(file), "step": document(request)})
        return
    click.echo(f"{request.interface} to {position_word(request.to)}: {printing.clean(request.because)}")
    if approval.approver.name:
        click.echo(f"proposed by {approval.author.name}, approved by {approval.approver.name}: metip migrate step … --approved {file}")
    else:
        click.echo(f"proposed by {approval.author.name}; somebody else: metip migrate approve {file} --key-file …")
