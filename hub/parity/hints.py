"""Guesses why two values differ: a table of damages that migrations really do, tried in their order.

The law: a hint and its detail say how a value changed and never what it was, since they are kept. A damage that the shadow did and the same
damage done by the primary have different names, so that a difference can be told from noise by its direction.
"""

import html
import re
import struct
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from hub.parity.rules import unaccented

Hint = tuple[str, str]
"""Name and detail, such as ("truncated", "at 30")."""
OTHER: Final = "another value"
DATE_FORMS: Final = (
    (re.compile(r"(\d{4})-(\d\d)-(\d\d)"), "ymd"),
    (re.compile(r"(\d{4})/(\d\d)/(\d\d)"), "ymd"),
    (re.compile(r"(\d{4})(\d\d)(\d\d)"), "ymd"),
    (re.compile(r"(\d\d)/(\d\d)/(\d{4})"), "dmy"),
    (re.compile(r"(\d\d)-(\d\d)-(\d{4})"), "dmy"),
    (re.compile(r"(\d\d)\.(\d\d)\.(\d{4})"), "dmy"),
    (re.compile(r"(\d\d)(\d\d)(\d{4})"), "dmy"),
)
CHARACTER_SETS: Final = ("cp1252", "latin-1", "cp437", "cp850", "cp037")
"""Sets in which UTF-8 is misread, or that a host speaks."""
FACTORS: Final = (10.0, 100.0, 1000.0, 60.0, 3600.0, 1024.0, 2.54, 0.3048, 1.609344, 0.45359237)
"""Units that are mistaken for one another: powers of ten, minutes, hours, inches, feet, miles, pounds."""
HOUR, DAY = 3600, 86_400
NANOS: Final = 1_000_000_000
LARGEST_ZONE: Final = 14 * HOUR
BARS: Final = ((1, "under a second"), (60, "seconds"), (HOUR, "minutes"), (DAY, "hours"))


def _misread(before: str, after: str) -> str:
    if before.isascii():
        return ""
    for name in CHARACTER_SETS:
        try:
            if before.encode("utf-8").decode(name) == after:
                return f"UTF-8 read as {name}"
        except UnicodeError:
            continue
    if len(after) >= len(before) and before.encode("utf-8").decode("ascii", "replace") == after:
        return "letters replaced"
    for sign in "?\ufffd\x1a_ ":
        if "".join(one if one.isascii() else sign for one in before) == after:
            return "letters replaced"
    return "letters left out" if "".join(filter(str.isascii, before)) == after else ""


def _escaped(before: str, after: str) -> str:
    once = html.unescape(after)
    return "once" if once == before else "twice" if once != after and html.unescape(once) == before else ""


def _unaccented(before: str, after: str) -> str:
    return "letters lost their marks" if unaccented(before) == after else ""


def _truncated(before: str, after: str) -> str:
    return f"at {len(after)}" if after and before.startswith(after) else ""


def _headless(before: str, after: str) -> str:
    return f"the first {len(before) - len(after)} characters" if after and before.endswith(after) else ""


def _padded(before: str, after: str) -> str:
    if len(after) <= len(before):
        return ""
    if after.lstrip("0") == before.lstrip("0"):
        return f"with zeros to {len(after)}"
    return f"with blanks to {len(after)}" if after.strip() == before.strip() else ""


def _doubled(before: str, after: str) -> str:
    return "the text is there twice" if after in (before + before, f"{before} {before}") else ""


def _coarser(before: str, after: str) -> str:
    try:
        return _rounded(float(before), float(after)) if len(before) < 30 else ""
    except ValueError:
        return ""


Damage = tuple[str, str, Callable[[Any, Any], str]]
DAMAGES: Final[tuple[Damage, ...]] = (
    # (name, name where the primary has it, test of (whole, damaged) -> detail)
    ("padded", "padding lost", _padded),
    ("truncated", "longer", _truncated),
    ("escaped", "unescaped", _escaped),
    ("accents lost", "accents kept", _unaccented),
    ("encoding", "encoding undone", _misread),
    ("doubled", "undoubled", _doubled),
    ("beginning lost", "beginning added", _headless),
    ("rounded", "more exact", _coarser),
)
"""What one side did to a text that the other has whole."""
SHIFTS: Final = (
    *((f"one {unit} later", f"one {unit} earlier") for unit in ("hour", "day", "month", "year")),
    ("a century later", "a century earlier"),
    ("clock an hour ahead", "clock an hour behind"),
)
"""Shifts that no time does which passes between two questions."""
OPPOSITE: Final = {
    one: other for pair in (*((name, reverse) for name, reverse, _ in DAMAGES), *SHIFTS) for one, other in (pair, pair[::-1])
}
"""Hints by the hint of the same damage in the other direction."""


def _same(form: Callable[[str], Any], words: str = "") -> Callable[[str, str], str | None]:
    def test(before: str, after: str) -> str | None:
        made = form(before)
        return words if made and made == form(after) else None

    return test


def _transposed(before: str, after: str) -> str | None:
    apart = _apart(before, after)
    if len(apart) == 2 and apart[1] == apart[0] + 1 and before[apart[0]] == after[apart[1]] and before[apart[1]] == after[apart[0]]:
        return f"characters {apart[0] + 1} and {apart[1] + 1}"
    return None


def _one_character(before: str, after: str) -> str | None:
    apart = _apart(before, after)
    return f"character {apart[0] + 1} of {len(before)}" if len(apart) == 1 and len(before) > 1 else None


def _apart(before: str, after: str) -> list[int]:
    """Places that differ, where both are of one length; at most three."""
    if len(before) != len(after):
        return []
    found: list[int] = []
    for place, (one, other) in enumerate(zip(before, after, strict=True)):
        if one != other:
            found.append(place)
            if len(found) > 2:
                break
    return found


def _as_number(text: str) -> float | None:
    plain = text.replace(",", "").strip().lstrip("£$€")
    try:
        return float(plain) if len(plain) < 30 and any(map(str.isdigit, plain)) else None
    except ValueError:
        return None


RESEMBLANCES: Final[tuple[tuple[str, Callable[[str, str], str | None]], ...]] = (
    # (name, test of (before, after) -> detail, None where it is not so)
    ("blanks", _same(lambda text: "".join(text.split()))),
    ("capitals", _same(str.casefold)),
    ("punctuation", _same(lambda text: "".join(filter(str.isalnum, text)).casefold())),
    ("letters composed otherwise", _same(unaccented)),
    ("words reordered", _same(lambda text: sorted(text.replace(",", " ").casefold().split()))),
    ("number written otherwise", _same(_as_number)),
    ("characters transposed", _transposed),
    ("one character", _one_character),
    ("back to front", lambda before, after: "" if before[::-1] == after and len(before) > 2 else None),
)
"""How two texts are alike that neither has whole."""


def of_text(before: str, after: str) -> Hint:
    """Why two texts differ, neither of them empty."""
    dates = _date_in(before), _date_in(after)
    if dates[0] and dates[1]:
        return ("date written otherwise", "") if dates[0] == dates[1] else of_date(dates[0], dates[1])
    for name, reverse, damage in DAMAGES:
        if detail := damage(before, after):
            return name, detail
        if detail := damage(after, before):
            return reverse, detail
    for name, resemblance in RESEMBLANCES:
        found = resemblance(before, after)
        if found is not None:
            return name, found
    return OTHER, ""


def _date_in(text: str) -> tuple[int, int, int] | None:
    if not 8 <= len(text) <= 10:
        return None
    for form, order in DATE_FORMS:
        if found := form.fullmatch(text):
            first, second, third = map(int, found.groups())
            parts = (first, second, third) if order == "ymd" else (third, second, first)
            if 1800 <= parts[0] <= 2200 and 1 <= parts[1] <= 12 and 1 <= parts[2] <= 31:
                return parts
    return None


def of_number(before: float, after: float) -> Hint:
    """Why two numbers differ, neither of them zero."""
    if before == -after:
        return "sign", ""
    if found := _rounded(before, after):
        return "rounded", found
    if found := _rounded(after, before):
        return "more exact", found
    if isinstance(before, int) and isinstance(after, int):
        if abs(after - before) == 1:
            return ("one more" if after > before else "one less"), ""
        if (after - before) % 65_536 == 0:
            return "wrapped around", "a smaller integer type"
    ratio = after / before
    for factor in FACTORS:
        for wanted, words in ((factor, "times"), (1 / factor, "divided by")):
            if abs(ratio / wanted - 1) < 1e-6:
                return "another unit", f"{words} {factor:g}"
    return ("larger" if after > before else "smaller"), ""


def _rounded(before: float, after: float) -> str:
    """How `after` is a coarser form of `before`; empty where it is not."""
    if before == after or before != before or after != after or abs(before) in (float("inf"), 0.0):
        return ""
    for places in range(6, -4, -1):
        step = 10.0**-places
        if (
            abs(after - round(after, places)) < step * 1e-9
            and abs(before - after) < step
            and abs(before - round(before, places)) > step * 1e-9
        ):
            if places > 0 or not float(before).is_integer() or after % 10 == 0:
                return f"to {places} decimals" if places > 0 else "to whole numbers" if places == 0 else f"to {10**-places}s"
            return ""
    if isinstance(before, float) and abs(before) < 3e38 and struct.unpack("f", struct.pack("f", before))[0] == after:
        return "to single precision"
    return ""


def of_date(before: tuple[int, int, int], after: tuple[int, int, int]) -> Hint:
    """Why two civil dates (year, month, day; 0 for unknown) differ."""
    if any(one and not other for one, other in zip(before, after, strict=True)) and all(
        one == other or not other for one, other in zip(before, after, strict=True)
    ):
        return "part unknown", ""
    if any(other and not one for one, other in zip(before, after, strict=True)) and all(
        one == other or not one for one, other in zip(before, after, strict=True)
    ):
        return "part known", ""
    if before[0] == after[0] and before[1:] == after[:0:-1]:
        return "day and month swapped", ""
    days = _day(before), _day(after)
    if days[0] is None or days[1] is None:
        return OTHER, ""
    apart = (days[1] - days[0]).days
    word = "later" if apart > 0 else "earlier"
    if abs(apart) == 1:
        return f"one day {word}", ""
    if before[1:] == after[1:] and abs(before[0] - after[0]) == 100:
        return f"a century {word}", ""
    if before[1:] == after[1:] and abs(before[0] - after[0]) == 1:
        return f"one year {word}", ""
    if before[2] == after[2] and abs(before[0] * 12 + before[1] - after[0] * 12 - after[1]) == 1:
        return f"one month {word}", ""
    return word, "by days" if abs(apart) < 32 else "by more than a month"


def _day(parts: tuple[int, int, int]) -> date | None:
    try:
        return date(*parts)
    except ValueError:
        return None


def of_instant(before: int, after: int) -> Hint:
    """Why two instants or lengths of time (nanoseconds) differ."""
    apart = after - before
    word = "later" if apart > 0 else "earlier"
    seconds, rest = divmod(abs(apart), NANOS)
    if not rest:
        if seconds == HOUR:
            return f"one hour {word}", ""
        if seconds == DAY:
            return f"one day {word}", ""
        if seconds <= LARGEST_ZONE and seconds % (HOUR // 2) == 0:
            return f"hours {word}", f"by {seconds / HOUR:g} h"
        if seconds % DAY == 0:
            return f"days {word}", ""
    for step, name in ((DAY, "days"), (60, "minutes"), (1, "seconds"), (1e-3, "milliseconds"), (1e-6, "microseconds")):
        unit = int(step * NANOS)
        if abs(apart) < unit:
            if after % unit == 0 and before % unit:
                return "rounded", f"to {name}"
            if before % unit == 0 and after % unit:
                return "more exact", f"than {name}"
    return word, next((f"by {name}" for bar, name in BARS if abs(apart) < bar * NANOS), "by days")
