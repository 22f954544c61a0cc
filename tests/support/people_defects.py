"""Twelve defects of a new platform's answers and five noisy fields of the old one's, on the pairs of `people_pairs`."""

import random
from typing import Any

from people_pairs import Change

PERSON = "nominals[].person"


def _one(message: Any, dice: random.Random) -> Any:
    return dice.choice(message.nominals)


def rounding(message: Any, dice: random.Random) -> None:
    person = _one(message, dice).person
    person.height_cm = (person.height_cm + 5) // 10 * 10


def missing_alias(message: Any, dice: random.Random) -> None:
    del _one(message, dice).person.aliases[0]


def reordered(message: Any, dice: random.Random) -> None:
    _one(message, dice).person.addresses.reverse()


def off_by_one(message: Any, dice: random.Random) -> None:
    _one(message, dice).person.date_of_birth.day += 1


def time_zone(message: Any, dice: random.Random) -> None:
    message.provenance.as_of.seconds += 3600


def truncated(message: Any, dice: random.Random) -> None:
    name = _one(message, dice).person.name
    name.family_name = name.family_name[:3]


def wrong_code(message: Any, dice: random.Random) -> None:
    one = _one(message, dice).circulations[0]
    one.type = 8 if one.type == 7 else 7


def lost_record(message: Any, dice: random.Random) -> None:
    del message.nominals[dice.randrange(len(message.nominals))]


def duplicate_record(message: Any, dice: random.Random) -> None:
    message.nominals.append(_one(message, dice))


def stale(message: Any, dice: random.Random) -> None:
    _one(message, dice).person.addresses[0].postcode = f"SE{dice.randint(1, 28)} {dice.randint(1, 9)}ZZ"


def swapped(message: Any, dice: random.Random) -> None:
    name = _one(message, dice).person.name
    name.given_names[0], name.family_name = name.family_name, name.given_names[0]


def encoding(message: Any, dice: random.Random) -> None:
    for nominal in message.nominals:
        given = nominal.person.name.given_names
        for place, one in enumerate(given):
            given[place] = one.encode().decode("latin-1")


TWELVE: dict[str, tuple[Change, str, str, str]] = {
    # name: (change, field, kind, word of the hint)
    "rounding": (rounding, f"{PERSON}.height_cm", "CHANGED", "rounded"),
    "missing alias": (missing_alias, f"{PERSON}.aliases[]", "LOST_RECORD", ""),
    "reordered list": (reordered, f"{PERSON}.addresses[]", "REORDERED", ""),
    "off-by-one date": (off_by_one, f"{PERSON}.date_of_birth", "CHANGED", "one day later"),
    "time zone": (time_zone, "provenance.as_of", "CHANGED", "clock an hour ahead"),
    "truncated name": (truncated, f"{PERSON}.name.family_name", "CHANGED", "truncated at 3"),
    "wrong code": (wrong_code, "nominals[].circulations[].type", "CHANGED", "another code"),
    "duplicate record": (duplicate_record, "nominals[]", "DUPLICATE_RECORD", ""),
    "stale value": (stale, f"{PERSON}.addresses[].postcode", "CHANGED", ""),
    "swapped fields": (swapped, f"{PERSON}.name.given_names[]", "CHANGED", "swapped"),
    "encoding": (encoding, f"{PERSON}.name.given_names[]", "CHANGED", "encoding"),
    "lost record": (lost_record, "nominals[]", "LOST_RECORD", ""),
}


def session(message: Any, dice: random.Random) -> None:
    message.provenance.warnings[0].text = f"SESSION {dice.randint(1000, 9999)}"


def counted(message: Any, dice: random.Random) -> None:
    message.provenance.warnings[0].code = f"W{dice.randint(0, 9999):04}"


def sight(message: Any, dice: random.Random) -> None:
    for nominal in message.nominals:
        nominal.person.observed_ethnicity = dice.randint(1, 6)


def shuffled(message: Any, dice: random.Random) -> None:
    for nominal in message.nominals:
        nominal.circulations[0].text = dice.choice(("LOCATE AND INFORM", "LOCATE, INFORM", "locate and inform", "INFORM"))


def now_and_then(message: Any, dice: random.Random) -> None:
    message.provenance.truncated = True


NOISE: dict[str, tuple[float, Change, str]] = {
    "always another": (1.0, session, "provenance.warnings[].text"),
    "mostly another": (0.7, counted, "provenance.warnings[].code"),
    "a third of the time": (0.3, sight, f"{PERSON}.observed_ethnicity"),
    "one in twenty": (0.05, shuffled, "nominals[].circulations[].text"),
    "one in two hundred": (0.005, now_and_then, "provenance.truncated"),
}
