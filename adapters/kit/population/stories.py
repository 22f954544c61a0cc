"""The people at numbers 1 to 12, whose facts are fixed so that demonstrations can count on them.

| number | story                 | facts                                                                                    |
|--------|-----------------------|------------------------------------------------------------------------------------------|
| 1      | known_offender        | adult with PNC record, alias and warnings; keeper of vehicle 1, which must not be named  |
|        |                       | on open radio; suspect of crime 1 (victim 11), arrested and charged (arrest 1); episode 2|
| 2      | missing_child         | aged 14, guardian and address of person 1; missing since the day before: episode 1,      |
|        |                       | high risk; circulated as missing on PNC; an older checklist, episode 4                   |
| 3      | restricted_victim     | no PNC record; victim of crime 2, which is restricted                                    |
| 4      | wanted                | wanted on PNC after crime 4 and arrest 2; keeper of vehicle 3, uninsured                 |
| 5      | no_trace              | an address and a telephone, and not a word in any police system                          |
| 6      | long_name             | surname of 49 characters; victim of crime 6; PNC record                                  |
| 7      | apostrophe            | surname with an apostrophe; victim of crime 4; PNC record                                |
| 8      | hyphen                | surname with a hyphen; victim of crime 5; PNC record                                     |
| 9      | leap_day              | born on 29 February 2000; PNC record                                                     |
| 10     | common_name           | shares both names with every 125th person after; all are adults with PNC records         |
| 11     | stolen_vehicle_keeper | no PNC record; victim of crimes 1 and 3; vehicle 2, reported stolen, taken in crime 3    |
| 12     | adult_at_risk         | no PNC record; episode 3                                                                 |

Nobody above 12 is drawn into these facts and, but for the namesakes of 10, these twelve into nobody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

STORIES: Mapping[str, int] = MappingProxyType(
    {
        "known_offender": 1,
        "missing_child": 2,
        "restricted_victim": 3,
        "wanted": 4,
        "no_trace": 5,
        "long_name": 6,
        "apostrophe": 7,
        "hyphen": 8,
        "leap_day": 9,
        "common_name": 10,
        "stolen_vehicle_keeper": 11,
        "adult_at_risk": 12,
    }
)
"""What a person stands for, to the person's number."""

LAST = 12
NAMESAKE_EVERY = 125


@dataclass(frozen=True, slots=True)
class Part:
    """What is fixed about a story person; everything else is drawn as for anybody."""

    surname: str
    forenames: tuple[str, ...]
    sex: str
    age: int
    recorded: bool = False
    """Whether the person has a PNC record."""
    drives: bool = False
    born: date | None = None
    """Date of birth where it matters; otherwise one is drawn that gives the age."""
    aliases: tuple[str, ...] = ()
    warning_signals: tuple[str, ...] = field(default=())


PARTS: Mapping[int, Part] = MappingProxyType(
    {
        1: Part(
            "Halzerwick", ("Calquol", "Orzilko"), "M", 34, True, True, None, ("Halquorve",), ("VI", "WE", "ST")
        ),
        2: Part("Halzerwick", ("Nevexa",), "F", 14, True),
        3: Part("Esterenvoxby", ("Sojivia",), "F", 29),
        4: Part("Pemquillox", ("Talvuxel"[:2] + "vuxel",), "M", 41, True, True, None, (), ("ES",)),
        5: Part("Tamxondale", ("Dozorn",), "M", 52),
        6: Part("Winxondale-Hartzolbright-Estervazeley-Bramavoxby", ("Fenxodie", "Alquindra"), "F", 38, True),
        7: Part("O'Verzandle", ("Galjivia",), "F", 45, True, True),
        8: Part("Dalquimsby-Jasvexmoor", ("Ilxodan",), "M", 27, True, True),
        9: Part("Lorzadrick", ("Joquola",), "F", 26, True, True, date(2000, 2, 29)),
        10: Part("Corzandle", ("Alvexo",), "M", 33, True, True),
        11: Part("Gilquavish", ("Wilvuxine",), "F", 48, False, True),
        12: Part("Ramjolzen", ("Kezilko",), "M", 79),
    }
)


def is_namesake(number: int) -> bool:
    """Whether a person shares both names with person 10 (who is one of them)."""
    return number % NAMESAKE_EVERY == STORIES["common_name"]
