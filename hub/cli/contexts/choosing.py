"""Which mesh a command is for: `--home` or `--context`, METIP_CONTEXT, METIP_HOME, the context in use, `.metip`; the first that is said.

Whoever names the folder of a live context is in that context, by whichever way the folder was named.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from hub.cli.contexts import keeping
from hub.cli.contexts.model import Context
from hub.cli.options import Problem

DEFAULT_HOME: Final = Path(".metip")
NAMED: Final = "hub.cli.contexts.named"
CHOSEN: Final = "hub.cli.contexts.chosen"
"""Keys of click's `meta`, which the commands of one line share."""


@dataclass(frozen=True)
class Choice:
    """The mesh of a command, and why that one."""

    home: Path
    """Its folder; or the file of a context that is more than a folder, which `hub.cli.client.place` reads."""
    why: str
    context: Context | None = None


def choose(home: Path | None, home_said: bool, name: str, name_said: bool) -> Choice:
    """The mesh that is meant. `…_said` is whether it stood on the command line rather than in the environment.

    Raises `click.UsageError` where both stand there, and `Problem` for a context that can't be used.
    """
    if home_said and name_said:
        raise click.UsageError("--home and --context both say which mesh: give one of them")
    if home is not None and home_said:
        return _at(home, "--home")
    if name:
        return _of(keeping.named(name), "--context" if name_said else "METIP_CONTEXT")
    if home is not None:
        return _at(home, "METIP_HOME")
    used = keeping.in_use()
    return _of(keeping.named(used), "the context in use") if used else _at(DEFAULT_HOME, "the default")


def _of(one: Context, why: str) -> Choice:
    return Choice(Path(one.home) if one.plain else keeping.file_of(one.name), why, one)


def _at(home: Path, why: str) -> Choice:
    return Choice(home, why, _live_context_of(home))


def _live_context_of(home: Path) -> Context | None:
    """The live context whose folder that is."""
    for name in keeping.names():
        try:
            one = keeping.named(name)
        except Problem:
            continue  # one that can't be used is told about when it is used
        if one.live and one.home and Path(one.home).resolve() == home.resolve():
            return one
    return None


def take_name(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Callback of `--context`, which is processed before `--home`."""
    assert param.name is not None
    ctx.meta[NAMED] = (value or "", ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE)


def take_home(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
    """Callback of `--home`: the mesh that is meant; a live one is announced, once."""
    if ctx.resilient_parsing:
        return value or DEFAULT_HOME
    assert param.name is not None
    name, name_said = ctx.meta.get(NAMED, ("", False))
    home_said = ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    before: Choice | None = ctx.meta.get(CHOSEN)
    if before is not None and not home_said and not name_said:
        return before.home  # said of the group, as in `metip sim --home … SYSTEM`
    found = choose(value, home_said, name, name_said)
    ctx.meta[CHOSEN] = found
    if found.context is not None and found.context.live and (before is None or before.context != found.context):
        announce(found.context)
    return found.home


def chosen() -> Choice | None:
    """The mesh of the command that runs; None where it takes none."""
    ctx: Any = click.get_current_context(silent=True)
    return ctx.meta.get(CHOSEN) if ctx is not None else None


def announce(one: Context) -> None:
    """Says on standard error that this is live."""
    click.secho(f" LIVE  {one.name}: {one.where} ", fg="bright_white", bg="red", bold=True, err=True)
