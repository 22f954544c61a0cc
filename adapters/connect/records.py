"""What CONNECT's documents are put into (assumed: its interfaces are not public). Records themselves stay trees: `layout` says what stands
where in them."""

from typing import Any

from adapters.kit.json_documents import record
from adapters.kit.rest import Problem

Tree = dict[str, Any]


@record
class Page:
    """A part of what a search found; `next` is the cursor behind it, '' after the last."""

    items: tuple[Tree, ...] = ()
    next: str = ""
    as_at: str = ""


@record
class Changes:
    """What lies between two tokens of the change feed. A webhook carries the same."""

    after: str = ""
    next: str = ""
    more: bool = False
    items: tuple[Tree, ...] = ()


@record
class Refused(Problem):
    """A problem with CONNECT's own members: where a merged record went and when, and which step was not taken."""

    moved_to: str = ""
    merged_at: str = ""
    step: str = ""
