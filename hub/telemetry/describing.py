"""The list of metrics in `docs/operations/telemetry.md`, written from the table of them; `make golden` runs it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from metip.telemetry.families import SECTIONS

MARK: Final = "<!-- From here on written by `make golden`. -->\n"
PAGE: Final = Path("docs") / "operations" / "telemetry.md"


def tables() -> str:
    """A table for each kind of process."""
    return MARK + "\n" + "\n".join(_lines())


def written(page: str) -> str:
    """The page with its list as it should be. Raises ValueError for one without the mark."""
    head, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"the page has no line {MARK.strip()}")
    return head + tables()


def _lines() -> Iterator[str]:
    for title, section in SECTIONS.items():
        yield f"### {title}\n"
        yield "| metric | kind | labels | what it is |"
        yield "|---|---|---|---|"
        for one in section:
            labels = ", ".join(f"`{label}`" for label in one.labels)
            yield f"| `{one.name}` | {one.kind.value} | {labels} | {one.help} |"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
