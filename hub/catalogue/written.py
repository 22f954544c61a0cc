"""What people wrote, as pages of the site: README, guides, decisions, runbooks and systems, at the places they have in the checkout.

A link to a page of the site stays one. A link to any other file of the checkout becomes its path in words, since the site does not have
it; one to a file that is not there is left as it is, and the build fails on it.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from hub.catalogue.prose import code, contents, heading

PATTERNS: Final = (
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/**/*.md",
    "adapters/**/README.md",
    "envoy/README.md",
    "protos/examples/README.md",
)
LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")
FENCE: Final = re.compile(r"(^```.*?^```\s*$)", re.MULTILINE | re.DOTALL)
DECISIONS: Final = "docs/decisions"
OPERATIONS: Final = "docs/operations"


def written(root: Path) -> dict[str, str]:
    """Pages by path within the site, without ending, as Markdown."""
    paths = sorted({path.relative_to(root) for pattern in PATTERNS for path in root.glob(pattern)})
    known = {path.as_posix() for path in paths}
    found = {}
    for path in paths:
        text = (root / path).read_text(encoding="utf-8")
        parts = FENCE.split(text)
        found[path.as_posix().removesuffix(".md")] = "".join(
            part if part.startswith("```") else LINK.sub(lambda match, at=path: _linked(match, at, known, root), part) for part in parts
        )
    return found


def _linked(match: re.Match[str], page: Path, known: set[str], root: Path) -> str:
    words, wanted, anchor = match[1], match[2], match[3] or ""
    if "://" in wanted or wanted.startswith("mailto:"):
        return match[0]
    at = _normal(PurePosixPath(page.parent.as_posix()) / wanted)
    if at in known:
        return match[0]
    if at == DECISIONS:
        return f"[{words}](/{DECISIONS}/index.md)"
    if f"{at}/README.md" in known:
        return f"[{words}](/{at}/README.md{anchor})"
    return f"{words} ({code(at)})" if (root / at).exists() and words.strip("`") != at else code(at) if (root / at).exists() else match[0]


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def indexes(found: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The first page, and the index of the decisions."""
    decisions = [page for page in found if page.startswith(f"{DECISIONS}/")]
    operations = [page for page in found if page.startswith(f"{OPERATIONS}/")]
    guides = [page for page in found if page.startswith("docs/") and page not in (*decisions, *operations)]
    systems = [page for page in found if page.startswith("adapters/")]
    others = [page for page in found if page not in (*decisions, *operations, *guides, *systems, "README")]
    yield f"{DECISIONS}/index", _text(heading(1, "Decisions"), contents(_absolute(decisions)))
    yield (
        "index",
        _text(
            heading(1, "MetIP Hub"),
            ("The catalogue of interfaces, and everything that is written about the hub.", ""),
            contents(["Read me first </README>", "/interfaces/index"], caption="Start"),
            contents(_absolute(guides), caption="Guides"),
            contents(_absolute(operations), caption="Operations") if operations else (),
            contents(_absolute(systems), caption="Systems"),
            contents([f"/{DECISIONS}/index", *_absolute(others)], caption="More"),
            ('The JSON face as an OpenAPI document: <a href="openapi.json">openapi.json</a>.', ""),
        ),
    )


def _absolute(pages: list[str]) -> list[str]:
    return [f"/{page}" for page in pages]


def _text(*parts: "Iterator[str] | tuple[str, ...]") -> str:
    return "\n".join(line for part in parts for line in part) + "\n"
