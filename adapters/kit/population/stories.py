"""The people at numbers 1 to 12, whose facts are fixed so that demonstrations can count on them.

| number | story                 | facts                                                                                    |
|--------|-----------------------|------------------------------------------------------------------------------------------|
| 1      | known_offender        | adult with PNC record, alias and warnings; keeper of vehicle 1, whose report must not   |
|        |                       | go over open radio; suspect of crime 1 (victim 11), arrested and charged (arrest 1); episode 2|
| 2      | missing_child         | aged 14, guardian and address of person 1; missing since the day before: episode 1,      |
|        |                       | high risk; circulated as missing on PNC; an older checklist, episode 4                   |
| 3      | restricted_victim     | no PNC record; victim of crime 2, which is restricted                                    |
| 4      | wanted                | wanted on PNC after crime 4 and arrest 2; keeper of vehicle 3, uninsured                 |
| 5      | no_trace              | an address and a telephone, and not a word in any police system                          |
| 6      | long_name             | surname of 48 characters; victim of crime 6; PNC record                                  |
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
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

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


class Part(NamedTuple):
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
    warning_signals: tuple[str, ...] = ()


PARTS: Mapping[int, Part] = MappingProxyType(
    {
        1: Part(
            *("Halzerwick", ("Calquol", "Orzilkor"), "M", 34),
            recorded=True,
            drives=True,
            aliases=("Halquorve",),
            warning_signals=("VI", "WE", "ST"),
        ),
        2: Part("Halzerwick", ("Nevexa",), "F", 14, recorded=True),
        3: Part("Esterenvoxby", ("Sojivia",), "F", 29),
        4: Part("Pemquillox", ("Tavuxel",), "M", 41, recorded=True, drives=True, warning_signals=("ES",)),
        5: Part("Tamxondale", ("Dozorvix",), "M", 52),
        6: Part("Winxondale-Hartzolbright-Estervazeley-Bramavoxby", ("Fenxodie", "Alquindra"), "F", 38, recorded=True),
        7: Part("O'Verzandle", ("Galjivia",), "F", 45, recorded=True, drives=True),
        8: Part("Dalquimsby-Jasvexmoor", ("Ilxodan",), "M", 27, recorded=True, drives=True),
        9: Part("Lorzadrick", ("Joquola",), "F", 26, recorded=True, drives=True, born=date(2000, 2, 29)),
        10: Part("Corzandle", ("Elxodan",), "M", 33, recorded=True, drives=True),
        11: Part("Gilquavish", ("Wilvuxine",), "F", 48, drives=True),
        12: Part("Ramjolzen", ("Kezilkor",), "M", 79),
    }
)


def part_of(number: int) -> Part | None:
    """What is fixed about a person: the part at the number, that of person 10 for the namesakes, None for everybody else."""
    return PARTS.get(10 if number % NAMESAKE_EVERY == 10 else number)
