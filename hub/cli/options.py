"""Options and value types that several commands share, and the one error that they end with."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_HOME = Path(".metip")
JSON, TABLE = "json", "table"
FORMS: Final = (JSON, TABLE)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


class Problem(click.ClickException):
    """Something is wrong, and here is what to do about it. Ends the command with status 1."""

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.fix = fix

    def show(self, file: IO[Any] | None = None) -> None:
        """Prints the problem, and its fix on a line of its own, to standard error."""
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {self.message}", file=file, err=file is None)
        if self.fix:
            click.echo(f"  fix: {self.fix}", file=file, err=file is None)


class Seconds(click.ParamType[float]):
    """A length of time such as 250ms, 2s or 1.5m; a bare number is seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The time in seconds."""
        if isinstance(value, int | float):
            return float(value)
        found = seconds(value)
        if not found:
            self.fail(f"{value!r} is no time above zero; write one such as 250ms, 2s or 1.5m", param, ctx)
        return found


def seconds(text: str) -> float | None:
    """`250ms`, `2s`, `1.5m`, `1h` or a bare number as seconds; None for anything else."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|)", text)
    return float(found[1]) * _UNITS[found[2]] if found else None


class Form(click.ParamType[bool]):
    """How results are printed, `json` or `table`; as whether it is JSON."""

    name = "|".join(FORMS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Whether it is JSON."""
        if isinstance(value, bool):
            return value
        if value not in FORMS:
            self.fail(f"{value!r} is neither json nor table", param, ctx)
        return bool(value == JSON)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """Both, as far as they begin so."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(one) for one in FORMS if one.startswith(incomplete)]


def home_option(command: F) -> F:
    """Adds `--home` and `--context`: which mesh is meant (`hub.cli.contexts.choosing`)."""

    def named(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        from hub.cli.contexts.choosing import take_name

        take_name(ctx, param, value)

    def homed(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
        from hub.cli.contexts.choosing import take_home

        return take_home(ctx, param, value)

    context = click.option(
        "--context",
        metavar="NAME",
        envvar="METIP_CONTEXT",
        show_envvar=True,
        is_eager=True,
        expose_value=False,
        callback=named,
        help="Mesh by the name that `metip context add` gave it.",
    )
    home = click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        callback=homed,
        envvar="METIP_HOME",
        show_default=str(DEFAULT_HOME),
        show_envvar=True,
        help="Folder of this mesh's state.",
    )
    return home(context(command))


def json_option(command: F) -> F:
    """Adds `--output json|table`, and `--json` for short; the command is given `as_json`."""
    long = click.option(
        "--output", "as_json", type=Form(), default=TABLE, show_default=True, metavar=Form.name, help="How results are printed."
    )
    short = click.option("--json", "as_json", type=Form(), flag_value=JSON, help="Short for --output json.")
    return long(short(command))


def estate_options(command: F) -> F:
    """Adds the options of commands that start an estate."""
    for option in reversed(
        (
            click.option("--system", "systems", multiple=True, metavar="NAME", help="Run this system only; may be repeated. Default: all."),
            click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes of each adapter."),
            click.option("--seed", type=int, default=2026, show_default=True, help="Decides who the made-up people are."),
            click.option(
                "--xds", type=click.Choice(["delta", "sotw"]), default="delta", show_default=True, help="How Envoy takes changes."
            ),
        )
    ):
        command = option(command)
    return command


def before_grpc() -> None:
    """Says to gRPC, which must not be loaded yet, that processes which are started here replace themselves at once.

    It would prepare for forks that go on in Python, and write to standard error that it can't.
    """
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
