"""Markdown that Sphinx reads through MyST: tables, targets, links between pages, text that must not be taken for markup."""

import re
from collections.abc import Iterator, Sequence

CODE = re.compile(r"(`[^`]*`)")
MARKUP = re.compile(r"([\\*_<>\[\]{}$#])")


def target(name: str) -> str:
    """The anchor of an element by its full name; one for all pages."""
    return "x-" + re.sub(r"[^a-z0-9]+", "-", name.lower())


def link(name: str, words: str = "") -> str:
    """A link to an element's place, on whichever page that is."""
    return f"[{code(words or name)}](#{target(name)})"


def heading(level: int, words: str, name: str = "") -> Iterator[str]:
    """A heading, and the anchor of the element that it is about."""
    if name:
        yield from (f"({target(name)})=", "")
    yield from (f"{'#' * level} {words}", "")


def code(words: str) -> str:
    """Text as it is."""
    return f"`{words}`"


def plain(words: str) -> str:
    """A comment as a line of prose: what stands between backticks stays, all other markup is none."""
    joined = " ".join(words.split())
    return "".join(part if CODE.fullmatch(part) else MARKUP.sub(r"\\\1", part) for part in CODE.split(joined))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table; nothing where there is no row."""
    if rows:
        yield "| " + " | ".join(head) + " |"
        yield "|" + "---|" * len(head)
        for row in rows:
            yield "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row) + " |"
        yield ""


def block(language: str, text: str) -> Iterator[str]:
    """Lines of a program or a document."""
    yield from (f"```{language}", text, "```", "")


def contents(paths: Sequence[str], *, caption: str = "", depth: int = 1) -> Iterator[str]:
    """A table of contents of these pages; paths are absolute within the site, without ending."""
    yield from ("```{toctree}", f":maxdepth: {depth}")
    if caption:
        yield f":caption: {caption}"
    yield from ("", *paths, "```", "")
