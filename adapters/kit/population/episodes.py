"""Makes Merlin reports: missing episodes, children and adults who came to notice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from . import codes, reserved, stories
from .cast import Cast
from .codes import EpisodeKind, EpisodeStatus, Risk
from .dice import Dice
from .records import Episode, Person
from .stories import STORIES


class _Plot(NamedTuple):
    """What is fixed about a report that belongs to a story; `days` is how long ago it was made."""

    kind: EpisodeKind
    subject: int
    risk: Risk
    status: EpisodeStatus
    days: int


_PLOTS = {
    1: _Plot(EpisodeKind.MIS, STORIES["missing_child"], Risk.HIGH, EpisodeStatus.OPEN, 1),
    2: _Plot(EpisodeKind.ACN, STORIES["known_offender"], Risk.MEDIUM, EpisodeStatus.CLOSED, 75),
    3: _Plot(EpisodeKind.ACN, STORIES["adult_at_risk"], Risk.HIGH, EpisodeStatus.LOCATED, 8),
    4: _Plot(EpisodeKind.PAC, STORIES["missing_child"], Risk.MEDIUM, EpisodeStatus.CLOSED, 210),
}
_OPEN_EVERY = 10
_KINDS = (*(EpisodeKind.MIS,) * 7, *(EpisodeKind.PAC,) * 9, *(EpisodeKind.ACN,) * 4)
_ENDED = (EpisodeStatus.LOCATED, EpisodeStatus.DEBRIEFED, EpisodeStatus.CLOSED, EpisodeStatus.CLOSED)
_CIRCUMSTANCES = {
    EpisodeKind.MIS: ("Left home after an argument and did not return.", "Did not arrive at school; telephone switched off."),
    EpisodeKind.PAC: ("Child at home when police came to a domestic incident.", "Child found alone in a park after dark."),
    EpisodeKind.ACN: ("Adult found confused in the street and taken home.", "Neighbours concerned; adult unable to cope alone."),
}


def make_episode(cast: Cast, number: int) -> Episode:
    """The Merlin report of a number."""
    scale = cast.scale
    dice = Dice(f"{scale.seed}/episode/{number}")
    plot = _PLOTS.get(number)
    open_for = _missing_now(cast, number) if plot is None else None
    if plot is not None:
        kind, risk, status = plot.kind, plot.risk, plot.status
        subject, created_at = cast.person(plot.subject), scale.before(dice, plot.days - 1, plot.days)
    elif open_for is not None:
        kind, risk, status = EpisodeKind.MIS, dice.pick(tuple(Risk)), EpisodeStatus.OPEN
        subject, created_at = open_for, scale.before(dice, 0, 6)
    else:
        kind, risk, status = dice.pick(_KINDS), dice.pick(tuple(Risk)), dice.pick(_ENDED)
        subject, created_at = _subject(cast, dice, kind), scale.before(dice, 10, 1_400)
    missing = kind is EpisodeKind.MIS
    return Episode(
        number=number,
        reference=reserved.merlin_reference(number, kind, created_at.year),
        kind=kind,
        subject_number=subject.number,
        risk=risk,
        status=status,
        borough=cast.home(subject).borough,
        created_at=created_at,
        last_seen_at=created_at - timedelta(minutes=dice.between(60, 1_200)) if missing else None,
        found_at=_found_at(dice, created_at) if missing and status is not EpisodeStatus.OPEN else None,
        circumstances=dice.pick(_CIRCUMSTANCES[kind]),
        concerns=dice.some(codes.CONCERNS, 2) if kind is EpisodeKind.PAC else (),
        restricted=plot is None and dice.chance(1),
    )


def _found_at(dice: Dice, created_at: datetime) -> datetime:
    """Most are found within hours; none later than the youngest episode that is over, which is ten days old."""
    return created_at + timedelta(minutes=dice.between(30, dice.pick((600, 600, 2_880, 12_000))))


def _subject(cast: Cast, dice: Dice, kind: EpisodeKind) -> Person:
    of_a_child = kind is EpisodeKind.PAC or (kind is EpisodeKind.MIS and dice.chance(70))
    return cast.someone(dice, lambda person: bool(person.guardian_number) == of_a_child)


def _missing_now(cast: Cast, number: int) -> Person | None:
    """The subject of every tenth episode, which is still open; None for the others.

    Each open episode has a stretch of the people of its own, so that nobody is missing twice at once (Merlin refuses a second open
    episode of the same person); the first child there is missing, or the first person where there is no child.
    """
    place, rest = divmod(number, _OPEN_EVERY)
    stretch = (cast.scale.people - stories.LAST) // max(1, cast.scale.episodes // _OPEN_EVERY)
    if rest or not stretch:
        return None
    first = stories.LAST + 1 + (place - 1) * stretch
    people = map(cast.person, range(first, first + stretch))
    return next((person for person in people if person.guardian_number), cast.person(first))
