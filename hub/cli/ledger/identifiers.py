"""Identifiers of people as a command gets them: from a file, standard input or a prompt, never from its arguments, which others can read.

A file has one to a line, its kind and its value: `vrm AB12CDE`, `name_and_birth SMITH|JOHN|1990-01-31`, `officer 100001XX`,
`reference 1234/23NOV26`. Empty lines and lines that begin with # count for nothing.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.cli.options import Problem

if TYPE_CHECKING:
    from metip.ledger.v1.query_pb2 import Query

OFFICER, REFERENCE, NAME_AND_BIRTH = "officer", "reference", "name_and_birth"
MOST: Final = 20
MOST_CHARACTERS: Final = 65_536


def kinds() -> tuple[str, ...]:
    """Every kind that something may be looked for by."""
    from metip.identifiers import PARSERS

    return (*sorted(PARSERS), NAME_AND_BIRTH, OFFICER, REFERENCE)


def add_identifiers(query: "Query", by: Sequence[str], file: Path | None) -> None:
    """Adds to a query what a file says and what is typed at prompts. Raises `click.UsageError` and `Problem`, neither with a value."""
    found = list(_from_file(file)) if file is not None else []
    unknown = sorted({kind for kind in (*by, *(kind for kind, _ in found)) if kind not in kinds()})
    if unknown:
        raise click.UsageError(f"there is no kind {', '.join(unknown)}; there are {', '.join(kinds())}")
    if by and file == Path("-"):
        raise click.UsageError("standard input holds the identifiers, so nothing can be asked for: leave --by or --subject-file - out")
    found += [(kind, _prompted(kind)) for kind in by]
    for kind, value in found:
        if kind in (OFFICER, REFERENCE):
            if getattr(query, kind):
                raise click.UsageError(f"{kind} is there twice")
            setattr(query, kind, value)
        else:
            query.subjects.add(kind=kind, value=value)
    if len(query.subjects) > MOST:
        raise click.UsageError(f"{len(query.subjects)} identifiers are too many; at most {MOST} at a time")


def _prompted(kind: str) -> str:
    """A value that somebody types, or pipes in as a line."""
    if sys.stdin.isatty():
        words = "surname|forename|date of birth (YYYY-MM-DD)" if kind == NAME_AND_BIRTH else kind.replace("_", " ")
        value = str(click.prompt(words, hide_input=True, err=True))
    else:
        value = sys.stdin.readline(MOST_CHARACTERS)
    if not value.strip():
        raise click.UsageError(f"no {kind} was given: type it at the prompt, or pipe it in as a line")
    return value.strip()


def _from_file(path: Path) -> Iterable[tuple[str, str]]:
    try:
        content = sys.stdin.read(MOST_CHARACTERS) if path == Path("-") else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"the subject file can't be read: {getattr(error, 'strerror', None) or 'it is not text'}") from None
    for number, line in enumerate(content.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        kind, _, value = text.partition(" ")
        if not value.strip():
            raise click.UsageError(f"line {number} of the subject file has not a kind and a value, such as `vrm AB12CDE`")
        yield kind, value.strip()
