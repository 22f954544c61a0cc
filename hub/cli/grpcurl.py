"""`metip grpcurl`: grpcurl and curl lines with valid sample data, which work as they are printed."""

import json
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import DEFAULT_HOME, Problem, home_option, json_option

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from hub.cli.client import Place
    from hub.cli.messages import Messages
    from hub.contracts import Operation


@dataclass(frozen=True)
class Lines:
    """The two ways to call one operation from a shell."""

    operation: str
    title: str
    grpcurl: str
    curl: str


@click.command(
    epilog="\b\nExamples:\n"
    "  metip grpcurl                            a line for each operation that has a sample\n"
    "  metip grpcurl GetExample | sh            run it (grpcurl must be installed)\n"
    "  metip grpcurl GetExample id=42           with another value\n"
    "  metip grpcurl GetExample --curl | sh     the same as JSON over HTTP\n"
)
@click.argument("operation", required=False)
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@home_option
@json_option
@click.option("--curl", is_flag=True, help="Print curl lines (JSON over HTTP) instead of grpcurl ones.")
@click.option("--as", "name", default="developer", show_default=True, metavar="NAME", help="Identity to call under.")
def grpcurl(operation: str | None, fields: tuple[str, ...], home: Path, as_json: bool, curl: bool, name: str) -> None:
    """Print grpcurl and curl lines with valid sample data, ready to paste.

    OPERATION is a full name, or its end as far as that is unique. Without one, each operation that has a sample gets a line.
    """
    from hub.cli.client import place
    from hub.cli.messages import installed, operation_named
    from hub.cli.requests import Wanted, request_of
    from hub.contracts.samples import sample_of, samples

    messages, where = installed(), place(home)
    where.identity(name)
    if operation is not None:
        one = operation_named(operation, messages.contracts)
        sample = sample_of(one, messages)
        request, _ = request_of(one, Wanted(fields, sample=sample is not None), messages)
        found = [lines_for(where, name, messages, one, request, title=sample.title if sample else "")]
    else:
        found = [lines_for(where, name, messages, one.operation, one.request, title=one.title) for one in samples(messages)]
    if not found:
        raise Problem("no operation has a sample case", "name an operation and give its fields: metip grpcurl GetExample id=42")
    if as_json:
        printing.print_json([one.__dict__ for one in found])
        return
    for one_line in found:
        if one_line.title:
            click.echo(printing.dim(f"# {one_line.operation}: {one_line.title}"))
        click.echo(one_line.curl if curl else one_line.grpcurl)


def lines_for(where: "Place", name: str, messages: "Messages", operation: "Operation", request: "Message", *, title: str = "") -> Lines:
    """Lines for one operation with that request."""
    identity = where.identity(name)
    body = json.dumps(messages.document(request), ensure_ascii=False)
    ca, cert, key = (_shown(path) for path in (identity.authority, identity.certificate, identity.key))
    token = f' -H "authorization: Bearer $({token_command(where, name)})"' if operation.officer_admissible else ""
    data = shlex.quote(body)
    return Lines(
        operation=operation.name,
        title=title,
        grpcurl=f"grpcurl -cacert {ca} -cert {cert} -key {key}{token} -d {data} {where.edge} {operation.name}",
        curl=(
            f"curl -sS --cacert {ca} --cert {cert} --key {key}{token} -H 'content-type: application/json' -d {data} "
            f"https://{where.edge_json}/{operation.name}"
        ),
    )


def token_command(where: "Place", name: str) -> str:
    """The command that prints an officer token for that identity."""
    from hub.cli.client import usual_officer

    officer = usual_officer()
    roles = " ".join(f"--role {role}" for role in officer.roles)
    said = f"{officer.warrant_number} --force {officer.force} --unit {officer.unit} {roles}"
    return f"{command('token issue', where.home.root)} {said} --consumer {where.spiffe_id(name)}"


def command(words: str, home: Path) -> str:
    """A `metip` command that works here as it is printed: by its path where `metip` is not on PATH, with the home if it matters."""
    program = "metip"
    if shutil.which(program) is None:
        beside = Path(sys.argv[0] if Path(sys.argv[0]).name == program else Path(sys.executable).parent / program)
        program = shlex.quote(_relative(beside))
    if home == DEFAULT_HOME.resolve():
        return f"{program} {words}"
    return f"{program} {words} --home {shlex.quote(_relative(home))}"


def _shown(path: Path) -> str:
    return shlex.quote(_relative(path))


def _relative(path: Path) -> str:
    """The path from here where it lies below here, for short lines; the whole path otherwise."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path.absolute())
