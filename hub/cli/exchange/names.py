"""Subscriptions, operations, messages and states by the names that people type and read. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

import click

from hub.cli.options import Problem
from hub.exchange.life import State

MESSAGE_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class MessageId(click.ParamType[str]):
    """The id of a message or a plan: a UUID in full."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id in lower case."""
        if not MESSAGE_ID.fullmatch(value):
            self.fail(f"{value!r} is no id; an id is a UUID in full, such as 0197c5a0-0000-8000-8000-00000000002a", param, ctx)
        return str(value).lower()


class StateName(click.ParamType[State]):
    """A state of a delivery, such as parked or in_doubt."""

    name = "state"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> State:
        """The state."""
        if isinstance(value, State):
            return value
        word = value.strip().casefold().replace("-", "_").replace(" ", "_")
        try:
            return State(word)
        except ValueError:
            words = [state.value for state in State]
            close = get_close_matches(word, words, n=1)
            self.fail(f"{value!r} is no state; {f'did you mean {close[0]}?' if close else 'there are ' + ', '.join(words)}", param, ctx)


def subscription_named(text: str, names: Iterable[str]) -> str:
    """The subscription of that name: `system:operation` in full, or either, or the end of the operation, as far as it is unique."""
    return named(text, sorted(names), "subscription", _is_subscription)


def operation_named(text: str, names: Iterable[str]) -> str:
    """The operation of that name among those that are subscribed to: in full, or its end as far as it is unique. Raises `Problem`."""
    found = sorted({name.partition(":")[2] for name in names})
    return named(text, found, "operation with a subscription", lambda wanted, name: ends(name, wanted))


def named(text: str, names: list[str], what: str, matches: Any) -> str:
    """The one of these names that the text means, by `matches`. Raises `Problem` that lists what was meant, or might have been."""
    wanted = text.strip().lstrip("/")
    if wanted in names:
        return wanted
    found = [name for name in names if wanted and matches(wanted.casefold(), name.casefold())]
    if len(found) == 1:
        return found[0]
    if found:
        raise Problem(f"{text} is not one {what} but {len(found)}", f"say which: {', '.join(found)}")
    known = {short(name): name for name in names}
    close = [known[one] for one in get_close_matches(wanted, known, n=3)]
    if not names:
        raise Problem(f"there is no {what} {text}, nor any other", "a contract makes one with `subscribes`: docs/exchange.md")
    raise Problem(f"there is no {what} {text}", f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names)}")


def _is_subscription(wanted: str, name: str) -> bool:
    system, _, operation = name.partition(":")
    said, colon, end = wanted.partition(":")
    if colon:
        return said in ("", system) and (not end or ends(operation, end))
    return wanted == system or ends(operation, wanted)


def ends(name: str, end: str) -> bool:
    """Whether a name ends with those parts."""
    return f"/{name}".replace(".", "/").endswith("/" + end.replace(".", "/"))


def short(name: str) -> str:
    """A subscription as `system:Method`, an operation as its method."""
    system, colon, operation = name.rpartition(":")
    return f"{system}{colon}{operation.rpartition('/')[2]}"


def shortened(names: Iterable[str]) -> dict[str, str]:
    """Each of these names in short, in full where two would read alike."""
    found = set(names)
    alike = Counter(map(short, found))
    return {name: short(name) if alike[short(name)] == 1 else name for name in found}
