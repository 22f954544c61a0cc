"""The examples of a command's help, as what is typed and what is said of it; pure, so that each can be tried against the real options."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click

HEADING: Final = re.compile(r"^Examples?:$")
PROGRAM: Final = "metip"
_REMARK = re.compile(r"\s{2,}(?=\S)")
_CALL = re.compile(rf"(?:^|[\s(;|]){PROGRAM} (?P<words>.*)$", re.DOTALL)
_END = re.compile(r"\s[|<>;]\s?|\s\d?>|\)(?=[\"\s]|$)|\s&&\s")


@dataclass(frozen=True)
class Example:
    """One line of examples."""

    line: str
    """As it is typed; several lines where it goes on after a backslash."""
    remark: str = ""

    @property
    def words(self) -> list[str]:
        """The words after `metip`, without what a shell makes of the rest of the line. Raises `ValueError` where there is no `metip`."""
        found = _CALL.search(self.line.replace("\\\n", " "))
        if found is None:
            raise ValueError(f"no call of {PROGRAM}: {self.line}")
        return shlex.split(_before(found["words"]))


def split(epilog: str | None) -> tuple[list[Example], str]:
    """The examples at the head of what stands below the options, and the rest."""
    blocks = (epilog or "").strip().split("\n\n")
    lines = blocks[0].replace("\b", "").strip().splitlines()
    if not lines or not HEADING.match(lines[0].strip()):
        return [], "\n\n".join(blocks).strip()
    return list(_examples(lines[1:])), "\n\n".join(blocks[1:]).strip()


def examples(command: click.Command) -> list[Example]:
    """The examples of a command."""
    return split(command.epilog)[0]


def _examples(lines: list[str]) -> Iterator[Example]:
    typed = remark = ""
    for line in lines:
        text = line.strip()
        if typed and not typed.endswith("\\") and not _CALL.search(text):
            remark = f"{remark} {text}".strip()  # a remark that found no room beside what is typed
            continue
        if typed and not typed.endswith("\\"):
            yield Example(typed, remark)
            typed = remark = ""
        said, _, beside = text.partition("  ")
        while said.count("'") % 2 and beside:  # two blanks within a quotation
            more, _, beside = beside.partition("  ")
            said += "  " + more
        typed = f"{typed}\n{said}" if typed else said
        remark = f"{remark} {beside.strip()}".strip()
    if typed:
        yield Example(typed, remark)


def _before(text: str) -> str:
    """The text up to where a shell goes on with something else, outside quotation marks."""
    quoted = ""
    for place, sign in enumerate(text):
        if quoted:
            quoted = "" if sign == quoted else quoted
        elif sign in "'\"":
            quoted = sign
        elif found := _END.match(text, place):
            return text[: found.start()]
    return text
