"""Names of people, schools, streets and towns, put together from invented parts.

The law: every name is a head, perhaps a link, and an ending out of the tables below, and no name in use is put together so (assumed).
`is_invented` is that law as a function.
"""

from __future__ import annotations

import re

from .dice import Dice

HEADS = (
    *("Bel", "Bram", "Cor", "Dal", "Den", "Ester", "Far", "Gil", "Hal", "Hart", "Ing", "Jas", "Kel"),
    *("Lor", "Mar", "Nor", "Oak", "Pem", "Quin", "Ram", "Sal", "Tam", "Ul", "Ver", "Win", "Yar"),
)
LINKS = ("", "en", "a", "ing")
SURNAME_ENDS = (
    *("zandle", "quorve", "voxby", "xondale", "zerwick", "quillox", "vazeley", "jexham", "quimsby", "zolbright"),
    *("vexmoor", "xanthow", "quavish", "jolzen", "zimbury", "vorquin", "xellow", "zadrick"),
)
PLACE_ENDS = ("zeford", "quaybridge", "vexton", "jorham", "xelbourne", "zilgate", "quenley", "vorstead")
FORENAME_HEADS = (
    *("Al", "Be", "Cal", "Do", "El", "Fen", "Gal", "Ha", "Il", "Jo", "Ke", "Lo"),
    *("Ma", "Ne", "Or", "Pa", "Re", "So", "Ta", "Ul", "Va", "Wil", "Yo", "Ze"),
)
MALE_ENDS = ("zorvix", "vexor", "quol", "jivik", "xodan", "vuxel", "zilkor", "quargo")
FEMALE_ENDS = ("vexa", "quola", "jivia", "xodie", "vuxine", "quindra", "zilkene", "jorvette")

_STREET_KINDS = ("Road", "Street", "Lane", "Close", "Avenue", "Gardens", "Way", "Place")
_SCHOOL_KINDS = ("Primary School", "Academy", "Community School", "High School")


def surname(dice: Dice) -> str:
    """A surname; one in forty with an apostrophe, one in thirty of two parts with a hyphen."""
    first = dice.pick(HEADS) + dice.pick_early(LINKS) + dice.pick_early(SURNAME_ENDS)
    draw = dice.between(1, 120)
    if draw <= 3:
        return f"O'{first}"
    return f"{first}-{dice.pick(HEADS)}{dice.pick(SURNAME_ENDS)}" if draw <= 7 else first


def forenames(dice: Dice, sex: str) -> tuple[str, ...]:
    """One to three forenames that suit the sex, M or F; any for U."""
    ends = {"M": MALE_ENDS, "F": FEMALE_ENDS}.get(sex, MALE_ENDS + FEMALE_ENDS)
    count = (1, 1, 2, 2, 2, 3)[dice.between(0, 5)]
    return tuple([dice.pick_early(FORENAME_HEADS) + dice.pick(ends) for _ in range(count)])


def town(index: int) -> str:
    """The town of a borough, by the borough's index."""
    return HEADS[index % len(HEADS)] + PLACE_ENDS[index % len(PLACE_ENDS)]


def street(index: int) -> str:
    """The name of a street, by its index; 1,200 indexes have names of their own."""
    head = HEADS[index % len(HEADS)] + LINKS[index // len(HEADS) % len(LINKS)]
    return f"{head}{PLACE_ENDS[index % len(PLACE_ENDS)]} {_STREET_KINDS[index // 7 % len(_STREET_KINDS)]}"


def school(dice: Dice) -> str:
    """The name of a school."""
    return f"{dice.pick(HEADS)}{dice.pick(PLACE_ENDS)} {dice.pick(_SCHOOL_KINDS)}"


def is_invented(name: str) -> bool:
    """Whether every part of a surname or forename is put together from the tables, and so can be nobody's."""
    surnames = f"({'|'.join(HEADS)})({'|'.join(LINKS)})({'|'.join(SURNAME_ENDS)})"
    forenames = f"({'|'.join(FORENAME_HEADS)})({'|'.join(MALE_ENDS + FEMALE_ENDS)})"
    return re.fullmatch(f"(O')?{surnames}(-{surnames})*|{forenames}", name) is not None
