"""Any message that a form of the old bus can carry, and any record that its layout can."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import strategies as st

from adapters.metip1.services import CONTEXT, OPERATIONS
from adapters.metip1.translate import Form, Step
from adapters.metip1.wire import REQUESTER, Item, Layout, Record

YEAR = datetime.now(UTC).year
FORMS = {f"{one.name} {side}": form for one in OPERATIONS for side, form in (("asked", one.question), ("answered", one.answer))}
LAYOUTS: dict[str, Layout] = {**{name: form.layout for name, form in FORMS.items()}, "context": CONTEXT, "requester": REQUESTER}
DEPTH = 3
"""Records inside one another that are drawn; a whole report has more, and takes a second to draw."""
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"))
TEXTS = st.text(LETTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
SENTENCES = TEXTS.filter(lambda text: text == text.rstrip(" "))
SIMPLE: dict[str, st.SearchStrategy[str]] = {
    "day": st.dates(datetime(1930, 1, 1, tzinfo=UTC).date(), datetime(2025, 12, 31, tzinfo=UTC).date()).map(lambda on: f"{on:%d/%m/%Y}"),
    "number": st.integers(0, 9999).map(str),
    "flag": st.sampled_from("YN"),
}


def records(layout: Layout, depth: int = 0) -> st.SearchStrategy[Record]:
    """Any record of a layout, of whatever texts."""

    def of(item: Item) -> st.SearchStrategy[Any]:
        one: Any = records(item.layout, depth + 1) if item.layout is not None else SIMPLE.get(item.simple, TEXTS)
        return st.lists(one, min_size=1, max_size=2) if item.many else one

    items = [item for item in layout.items if item.layout is None or depth < DEPTH]
    return st.fixed_dictionaries({}, optional={item.name: of(item) for item in items})


def messages(form: Form, depth: int = 0) -> st.SearchStrategy[Any]:
    """Any message of a form whose values mean the same on both sides: whole days, instants to the second and by no doubtful clock."""

    def of(step: Step) -> st.SearchStrategy[Any]:
        one = _value(step) if step.inner is None else messages(step.inner, depth + 1)
        return st.lists(one, min_size=1, max_size=2) if step.field.is_repeated else one

    steps = [step for step in form.steps if step.inner is None or depth < DEPTH]
    oneofs: dict[str, list[Step]] = {}
    for step in steps:
        group = step.field.containing_oneof
        oneofs.setdefault(group.name if group is not None else step.field.name, []).append(step)
    choices = [st.one_of(*(st.tuples(st.just(step.field.name), of(step)) for step in each)) for each in oneofs.values()]
    chosen = st.tuples(*(st.none() | choice for choice in choices))
    return chosen.map(lambda said: form.made(**dict(one for one in said if one is not None)))


def _value(step: Step) -> st.SearchStrategy[Any]:
    field, kind = step.field, step.kind
    assert kind is not None
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values if value.number or field.has_presence])
    if kind.simple == "day":
        return st.dates(datetime(YEAR - 90, 1, 1, tzinfo=UTC).date(), datetime(YEAR - 1, 12, 31, tzinfo=UTC).date()).map(
            lambda on: {"year": on.year, "month": on.month, "day": on.day}
        )
    if kind.simple == "instant":
        # At noon no clock is put forward or back.
        days = st.integers(10_000, 20_000)
        return days.map(lambda day: {"seconds": day * 86400 + 43200 + day % 3600})
    if kind.simple == "time":
        return st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda at: {"hour": at[0], "minute": at[1]})
    if kind.simple == "identifier":
        return st.integers(0, 10**6).map(lambda number: {"as_received": f"?{number}"})
    if kind.simple == "flag":
        return st.booleans()
    if kind.simple == "number":
        return st.integers(0 if field.has_presence else 1, 9999)
    return SENTENCES


@cache
def any_record(name: str) -> st.SearchStrategy[Record]:
    """Any record of the layout of that name."""
    return records(LAYOUTS[name])


@cache
def any_message(name: str) -> st.SearchStrategy[Any]:
    """Any message of the form of that name."""
    return messages(FORMS[name])
