"""Commands that change something: in a live context they ask for its name first, and scripts say why.

Nothing asks where standard input is no terminal; the command ends with what to write instead.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.contexts.choosing import chosen
from hub.cli.contexts.model import DEV, Context
from hub.cli.options import Problem

if TYPE_CHECKING:
    from hub.cli.client import Place

LONGEST_ACTION: Final = 30
REASONS: Final = ("because", "reason")
"""Parameters in which commands take a reason that is kept."""


def always(_given: Mapping[str, Any]) -> bool:
    """For commands each call of which changes something."""
    return True


def wet(given: Mapping[str, Any]) -> bool:
    """For commands with `--dry-run`: whether it is not one."""
    return not given["dry_run"]


class Changing(click.Command):
    """A command that changes a mesh, or asks it something on which a record is kept of somebody else.

    `when` says of the parameters whether this call changes anything: a dry run does not. `dev_only` commands are refused elsewhere.
    `reasons` are the parameters in which the command takes a reason that is kept.
    Commands without `--yes` or a reason of their own are given both, for live contexts.
    """

    def __init__(
        self,
        *arguments: Any,
        when: Callable[[Mapping[str, Any]], bool] = always,
        dev_only: bool = False,
        reasons: tuple[str, ...] = REASONS,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._when, self.dev_only, self._reasons = when, dev_only, reasons
        known = {one.name for one in self.params}
        self._added: list[click.Option] = []
        if "yes" not in known and not dev_only:
            self._added.append(click.Option(["--yes"], is_flag=True, help="In a live context: do not ask; takes a reason."))
        if not known & set(reasons) and not dev_only:
            words = "In a live context: why; it is recorded."
            self._added.append(click.Option(["--because"], default=None, metavar="WORDS", help=words))
        self.params += self._added

    def invoke(self, ctx: click.Context) -> Any:
        """Asks where that is due, then does what the command does."""
        given = dict(ctx.params)
        for option in self._added:
            ctx.params.pop(option.name or "")
        choice = chosen()
        if choice is not None and choice.context is not None and self._when(given):
            if self.dev_only and choice.context.kind != DEV:
                raise Problem(
                    f"{choice.context.name} is a {choice.context.kind} context, and `{ctx.command_path}` is for development only",
                    "choose another with --home or --context",
                )
            if choice.context.live:
                because = next((str(given[name]) for name in self._reasons if given.get(name)), "")
                permit(choice.context, yes=bool(given["yes"]), because=because)
                if any(option.name in self._reasons for option in self._added):
                    _noted(ctx, choice.home, because)
        return super().invoke(ctx)


def permit(one: Context, *, yes: bool, because: str) -> None:
    """Lets a change of a live context pass, once its name was typed, or `yes` was given with a reason. Raises `Problem`."""
    if yes:
        if not because.strip():
            raise Problem(f"{one.name} is a live context, where --yes goes only together with a reason", "add --because WORDS")
        return
    if not sys.stdin.isatty():
        raise Problem(
            f"{one.name} is a live context, and nobody can be asked since standard input is no terminal; nothing was done",
            "repeat it with --yes and --because WORDS",
        )
    try:
        said = click.prompt(
            f"This changes {click.style(one.name, fg='red', bold=True)}. Type its name to go on", err=True, default="", show_default=False
        )
    except click.Abort:
        click.echo(err=True)
        said = ""
    if said.strip() != one.name:
        raise Problem(f"that is not the name of the context, {one.name}; nothing was done")


def note(where: "Place", action: str, because: str) -> None:
    """Has the hub record what is about to be done, and why. Raises `Problem` where it can't; nothing was done then.

    From afar nothing is noted before: there whatever is done is a call with a token, which is recorded where it arrives.
    """
    import asyncio

    from hub.cli.unmasking import recorded
    from metip.options.v1.options_pb2 import PURPOSE_AUDIT

    one = where.context
    if one is None or one.home or one.hub:
        asyncio.run(recorded(where, action, PURPOSE_AUDIT, because or "Confirmed at a terminal", instead="nothing was done"))


def _noted(ctx: click.Context, home: Path, because: str) -> None:
    """Has it recorded for a command that has no reason of its own to be kept."""
    from hub.cli.client import place

    words = "_".join(ctx.command_path.split()[1:])
    note(place(home), "cli/" + re.sub("[^a-z0-9_]", "_", words)[:LONGEST_ACTION], because)
