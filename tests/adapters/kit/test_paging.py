"""Pages that tell nothing of what was taken out of them."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit import Fault, Reason
from adapters.kit.paging import full_page

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Part:
    """Some of the items."""

    items: tuple[int, ...]
    next: str


@dataclass
class FarSide:
    """Has numbers from 0, some of them hidden, which it takes out after it filled its page."""

    hidden: tuple[bool, ...]
    asked: int = 0

    async def ask(self, most: int, cursor: str) -> Part:
        """A part."""
        self.asked += 1
        start = int(cursor or 0)
        shown = tuple(number for number in range(start, min(start + most, len(self.hidden))) if not self.hidden[number])
        return Part(shown, str(start + most) if start + most < len(self.hidden) else "")


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 7))
async def test_all_pages_but_the_last_are_full_and_together_they_are_all_that_may_be_seen(hidden: list[bool], size: int) -> None:
    far, cursor, pages = FarSide(tuple(hidden)), "", []
    while True:
        page = await full_page(far.ask, size, cursor)
        pages.append(page.items)
        cursor = page.next
        if not cursor:
            break
    seen = tuple(number for number, one in enumerate(hidden) if not one)
    assert tuple(number for page in pages for number in page) == seen
    # Whoever can't see the hidden ones gets, page by page, what they would get if there were none.
    assert pages == [seen[start : start + size] for start in range(0, len(seen), size)] or (seen == () and pages == [()])


async def test_what_follows_is_looked_for_with_one_question_where_nothing_is_hidden() -> None:
    far = FarSide((False,) * 5)
    assert (await full_page(far.ask, 2, "")).next == "2"
    assert far.asked == 2


@pytest.mark.parametrize("shown", [(), (1,)], ids=["filling", "looking ahead"])
async def test_a_cursor_that_leads_nowhere_is_a_fault(shown: tuple[int, ...]) -> None:
    async def ask(most: int, cursor: str) -> Part:
        return Part(() if cursor else shown, "same")

    with pytest.raises(Fault) as told:
        await full_page(ask, 1, "")
    assert told.value.reason is Reason.UPSTREAM_FAULT
