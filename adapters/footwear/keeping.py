"""Whether footwear may be held in the database: the law of the subscription, as a table.

Footwear may be taken from somebody who was arrested for a recordable offence (Police and Criminal Evidence Act 1984 section 61A). When a
person is released and no recordable offence is left, what was taken must be deleted. An offence is left unless it was decided, after
release, that no further action is taken on it.

| footwear         | recordable offence left | then                                            |
|------------------|-------------------------|-------------------------------------------------|
| none, or not taken | any                   | NOTHING: the database never hears of the record |
| taken            | yes                     | SUBMIT                                          |
| taken            | no                      | WITHDRAW: an earlier version may have had one   |
"""

from collections.abc import Collection, Mapping
from enum import Enum


class Step(Enum):
    """What the database is told of a version of a custody record."""

    NOTHING = "nothing"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"


NEXT: Mapping[tuple[bool, bool], Step] = {
    (False, False): Step.NOTHING,
    (False, True): Step.NOTHING,
    (True, True): Step.SUBMIT,
    (True, False): Step.WITHDRAW,
}
"""(footwear taken, recordable offence left) to what is done."""


def left(recordable: Collection[int], no_further_action: Collection[int], *, released: bool) -> frozenset[int]:
    """The recordable offences, by number, for which footwear may be kept."""
    return frozenset(recordable) - (frozenset(no_further_action) if released else frozenset())
