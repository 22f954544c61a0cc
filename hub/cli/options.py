"""Options and value types that several commands share, and the one error that they end with."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_HOME = Path(".metip")
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


def home_option(command: F) -> F:
    """Adds `--home`."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_HOME,
        envvar="METIP_HOME",
        show_default=True,
        show_envvar=True,
        help="Folder of this mesh's state.",
    )(command)


def json_option(command: F) -> F:
    """Adds `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


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
