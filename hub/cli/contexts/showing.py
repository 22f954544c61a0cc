"""`metip context list` and `show`."""

from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts import keeping
from hub.cli.contexts.model import FILES, Context
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import OK, WARNED, mark


@click.command("list", epilog="\b\nExamples:\n  metip context list\n  metip context list --json")
@json_option
def list_(as_json: bool) -> None:
    """List the contexts of this user, the one in use marked."""
    used = keeping.in_use()
    found, wrong = _all()
    if as_json:
        rows: list[dict[str, Any]] = [{**one.document(), "in_use": one.name == used} for one in found]
        printing.print_json(rows + [{"name": name, "in_use": name == used, "problem": words} for name, words in wrong.items()])
        return
    if not found and not wrong:
        click.echo("there are no contexts; `metip context add` makes one")
        return
    table = [(f"{mark(OK)} {one.name}" if one.name == used else f"  {one.name}", kind_word(one), one.where, one.about) for one in found]
    table += [(f"{mark(WARNED)} {name}", "?", words, "") for name, words in wrong.items()]
    printing.print_table(("context", "kind", "mesh", "about"), table)


@click.command(
    epilog="\b\nExamples:\n  metip context show                       which mesh would a command here be for?\n"
    "  metip context show force\n  metip context show force --json"
)
@click.argument("name", required=False)
@home_option
@json_option
def show(name: str | None, home: Any, as_json: bool) -> None:
    """Show one context, or the one that commands would use here, and why that."""
    from hub.cli.contexts.choosing import chosen

    choice = chosen()
    one = keeping.named(name) if name else choice.context if choice is not None else None
    why = "" if name or choice is None else choice.why
    if as_json:
        printing.print_json({"context": one.document() if one else None, "home": str(home) if not name else None, "why": why or None})
        return
    if one is None:
        click.echo(f"no context: the folder {home}, by {why}")
        return
    rows = [(field, value) for field, value in one.document().items() if field != "kind"]
    rows.insert(1, ("kind", kind_word(one)))
    for line in printing.aligned([*rows, *([("chosen by", why)] if why else [])]):
        click.echo(line)
    for words in missing(one):
        click.echo(f"{mark(WARNED)} {words}")


def kind_word(one: Context) -> str:
    """The kind, coloured where it matters."""
    return click.style(one.kind, fg="red", bold=True) if one.live else one.kind


def missing(one: Context) -> list[str]:
    """Files that a context names and that are not there."""
    from pathlib import Path

    said = {field: Path(value) for field in ("home", "hub", *FILES) if (value := getattr(one, field))}
    return [f"{field}: {path} is not there" for field, path in said.items() if not path.exists()]


def _all() -> tuple[list[Context], dict[str, str]]:
    found, wrong = [], {}
    for name in keeping.names():
        try:
            found.append(keeping.named(name))
        except Problem as problem:
            wrong[name] = problem.message
    return found, wrong
