"""Pages of an answer from which the far system takes out what the asker may not see, so that their size tells nothing of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from metip.faults import Fault, Reason

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Part(Protocol[T_co]):
    """Some of the items; `next` is the cursor behind them, '' after the last."""

    @property
    def items(self) -> Sequence[T_co]: ...
    @property
    def next(self) -> str: ...


@dataclass(frozen=True)
class Full(Generic[T]):
    """A page that is full unless it is the last; `next` is '' unless something follows that the asker may see."""

    items: tuple[T, ...]
    next: str


async def full_page(ask: Callable[[int, str], Awaitable[Part[T]]], size: int, cursor: str) -> Full[T]:
    """Asks for parts, each by how many at most and from which cursor, until the page is full, and looks whether anything follows.

    Raises `Fault` UPSTREAM_FAULT for a cursor that leads nowhere.
    """
    found: list[T] = []
    while True:
        part = await _part(ask, size - len(found), cursor)
        found.extend(part.items)
        cursor = part.next
        if not cursor or len(found) >= size:
            break
    ahead = cursor
    while ahead:
        part = await _part(ask, 1, ahead)
        if part.items:
            return Full(tuple(found), cursor)
        ahead = part.next
    return Full(tuple(found), "")


async def _part(ask: Callable[[int, str], Awaitable[Part[T]]], most: int, cursor: str) -> Part[T]:
    part = await ask(most, cursor)
    if part.next and part.next == cursor:
        raise Fault(Reason.UPSTREAM_FAULT, "the far system's cursor leads nowhere")
    return part
