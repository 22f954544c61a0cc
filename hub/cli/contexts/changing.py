"""`metip context add`, `use` and `remove`: what this user calls which mesh. Nothing of the mesh itself changes."""

from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.contexts import keeping
from hub.cli.contexts.model import KINDS, Context, problems_of
from hub.cli.options import Problem, json_option
from hub.cli.printing import OK, WARNED, mark

WHOLE: Final = click.Path(path_type=Path, resolve_path=True)


@click.command(
    epilog="\b\nExamples:\n"
    "  metip context add laptop --kind dev --home .metip\n"
    "  metip context add force --kind live --home /srv/metip --about 'Both halls, change board of May'\n"
    "  metip context add far --kind live --console hub.example:8445 --edge edge.example:8443 \\\n"
    "      --certificate me.pem --key me.key --authority ca.pem --token-file token\n\n"
    "Files are named, never copied, and a token is read anew by each command. --replace writes over a context of that name."
)
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="Whether it is for development, for tests, or live.")
@click.option("--home", type=WHOLE, help="Folder of a mesh on this machine.")
@click.option("--hub", type=WHOLE, metavar="SOCKET", help="The hub's unix socket.")
@click.option("--edge", default="", metavar="HOST:PORT", help="The edge, for gRPC.")
@click.option("--edge-json", "json_", default="", metavar="HOST:PORT", help="The edge, for JSON.")
@click.option("--console", default="", metavar="HOST:PORT", help="The console, by which the hub is asked from afar.")
@click.option("--certificate", type=WHOLE, metavar="FILE", help="Your certificate, for the edge.")
@click.option("--key", type=WHOLE, metavar="FILE", help="Its private key; only its path is kept.")
@click.option("--authority", type=WHOLE, metavar="FILE", help="Authorities that the servers' certificates may be from.")
@click.option("--token-file", type=WHOLE, metavar="FILE", help="Your token; only its path is kept.")
@click.option("--server-name", default="", metavar="NAME", help="Name in the servers' certificates, where it is not the address's.")
@click.option("--about", default="", metavar="WORDS", help="What it is, for people.")
@click.option("--replace", is_flag=True, help="Write over the context of that name.")
@json_option
def add(
    name: str,
    kind: str,
    home: Path | None,
    hub: Path | None,
    edge: str,
    json_: str,
    console: str,
    certificate: Path | None,
    key: Path | None,
    authority: Path | None,
    token_file: Path | None,
    server_name: str,
    about: str,
    replace: bool,
    as_json: bool,
) -> None:
    """Add a context: a mesh by its home folder, or by its addresses."""
    from hub.cli.contexts.showing import missing

    paths = {"home": home, "hub": hub, "certificate": certificate, "key": key, "authority": authority, "token": token_file}
    words: dict[str, Any] = {field: str(path) for field, path in paths.items() if path is not None}
    one = Context(name, kind, **words, edge=edge, json=json_, console=console, server_name=server_name, about=about)
    problems = problems_of(one)
    if problems:
        raise Problem(f"that makes no context: {'; '.join(problems)}", "metip context add --help")
    if name in keeping.names() and not replace:
        raise Problem(f"there is a context {name} already", "give it another name, or add --replace")
    path = keeping.keep(one)
    if as_json:
        printing.print_json({**one.document(), "file": str(path)})
        return
    click.echo(f"{mark(OK)} {name} is {printing.clean(one.where)}; kept in {path}")
    for line in missing(one):
        click.echo(f"{mark(WARNED)} {line}")
    if keeping.in_use() != name:
        click.echo(f"  to use it: metip context use {name}, or --context {name}")


@click.command(epilog="\b\nExamples:\n  metip context use laptop\n  metip context use --none                 none any more: .metip")
@click.argument("name", required=False)
@click.option("--none", "nothing", is_flag=True, help="Use none any more.")
@json_option
def use(name: str | None, nothing: bool, as_json: bool) -> None:
    """Use a context wherever no other is said, or none any more.

    It holds in every shell of this user, until another is used.
    """
    if bool(name) == nothing:
        raise click.UsageError("give the name of a context, or --none")
    one = keeping.named(name) if name else None
    keeping.put_in_use(name or "")
    if as_json:
        printing.print_json({"in_use": name})
    elif one is None:
        click.echo(f"{mark(OK)} no context is in use")
    else:
        click.echo(f"{mark(WARNED if one.live else OK)} in use: {one.name} ({one.kind}), {printing.clean(one.where)}")


@click.command(epilog="\b\nExamples:\n  metip context remove laptop")
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Remove a context; the mesh and its files stay as they are."""
    keeping.remove(name)
    if as_json:
        printing.print_json({"removed": name})
    else:
        click.echo(f"{mark(OK)} there is no context {name} any more; the mesh is as it was")
