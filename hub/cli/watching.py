"""Looks again and again: what commands share that show how something stands."""

import functools
import sys
import time
from typing import Any

import click

from hub.cli import printing
from hub.cli.options import F, Problem, Seconds


def watch_option(command: F) -> F:
    """Adds `--watch`: the command is carried out again every so often, until Ctrl-C, which ends it with status 0.

    A look that fails says so, and the next may succeed. On a terminal each look begins on an empty page; elsewhere, and as JSON, looks
    follow one another.
    """

    @functools.wraps(command)
    def again(*arguments: Any, watch: float | None, **others: Any) -> Any:
        if watch is None:
            return command(*arguments, **others)
        try:
            while True:
                if printing.on_terminal():
                    click.clear()
                _look(command, arguments, others)
                sys.stdout.flush()
                time.sleep(watch)
        except (KeyboardInterrupt, BrokenPipeError):
            return None

    words = "Show it again every so many seconds, until Ctrl-C."
    found: Any = click.option("--watch", type=Seconds(), metavar="SECONDS", help=words)(again)
    typed: F = found
    return typed


def _look(command: Any, arguments: Any, others: Any) -> None:
    try:
        command(*arguments, **others)
    except Problem as problem:
        problem.show()
    except click.exceptions.Exit:
        pass  # what it says of how things are, or a refusal, is printed; it may be another at the next look
