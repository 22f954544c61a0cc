"""How commands print: tables that suit a terminal or a pipe, ticks, times; and nothing that a terminal would obey."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

OK, FAILED, WARNED, SKIPPED = "ok", "failed", "warning", "skipped"
MARKS: Final = {OK: ("✓", "green"), FAILED: ("✗", "red"), WARNED: ("!", "yellow"), SKIPPED: ("-", "bright_black")}
PLAIN_MARKS: Final = {OK: "ok", FAILED: "FAIL", WARNED: "warn", SKIPPED: "-"}


def on_terminal() -> bool:
    """Whether standard output is a terminal that people look at."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def mark(state: str) -> str:
    """The tick, cross or dash of a state, coloured on a terminal; in letters where the output can't take it."""
    sign, colour = MARKS[state]
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        sign = PLAIN_MARKS[state]
    return click.style(sign, fg=colour, bold=state == FAILED)


def title(words: str) -> str:
    """A heading."""
    return click.style(words, bold=True)


def dim(words: str) -> str:
    """Words that may be overlooked."""
    return click.style(words, fg="bright_black")


def clean(text: str) -> str:
    """The text without characters that a terminal obeys: what a far system sent must not move a cursor here."""
    return "".join(character if character.isprintable() else "?" for character in text)


def span(seconds: float) -> str:
    """A length of time for people: `132 ms`, `2 s`, `2.1 s`, `3 min 20 s`, `5 h 2 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} days"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 interface`, `2 interfaces`."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def print_json(document: Any) -> None:
    """Prints a document as JSON."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table: drawn on a terminal, in aligned columns elsewhere, so that `grep` and `awk` find whole lines."""
    rows = [[str(cell) for cell in row] for row in rows]
    if not on_terminal():
        for line in aligned([columns, *rows]):
            click.echo(line)
        return
    from rich.console import Console

    Console(highlight=False).print(rich_table(columns, rows))


def rich_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Any:
    """The table as rich draws it; cells may hold colours that `click.style` made."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(Text.from_ansi(cell) for cell in row))
    return table


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """Rows as lines whose columns stand under one another, two spaces apart."""
    if not rows:
        return []
    plain = [[click.unstyle(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in plain) for place in range(len(rows[0]))]
    lines = []
    for row, bare in zip(rows, plain, strict=True):
        cells = [cell + " " * (width - len(text)) for cell, text, width in zip(row, bare, widths, strict=True)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def width() -> int:
    """Columns that a line may have: the terminal's, or plenty where nobody looks."""
    return shutil.get_terminal_size((100, 24)).columns if on_terminal() else 200


def shortened(text: str, limit: int) -> str:
    """The text, cut to a number of characters with an ellipsis where it was longer."""
    return text if len(text) <= limit else f"{text[: max(limit - 1, 0)].rstrip()}…"
