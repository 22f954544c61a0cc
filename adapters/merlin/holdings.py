"""What the simulator's Merlin holds at the start: the invented population's episodes, as Merlin would keep them."""

from datetime import datetime, timedelta

from adapters.kit.population import Episode, Population
from adapters.kit.population import Person as Somebody
from adapters.kit.population.codes import EpisodeKind, EpisodeStatus, Risk
from adapters.merlin import records
from adapters.merlin.codes import IN_PARTS
from adapters.merlin.register import review_due

NAME_WIDTH = 35
"""Characters of each part of a name (Standard Prosecutor Interface, national POLE standard); Merlin cuts a longer one off (assumed)."""
STATUS = {
    EpisodeStatus.OPEN: "OPN",
    EpisodeStatus.LOCATED: "LOC",
    EpisodeStatus.DEBRIEFED: "DEB",
    EpisodeStatus.CLOSED: "CLO",
}
RISK = {Risk.LOW: "LOW", Risk.MEDIUM: "MED", Risk.HIGH: "HGH"}
CONCERN = {"health": "HEA", "education": "EDU", "behaviour": "BEH", "family": "FAM", "environment": "ENV"}
SHARED = {
    EpisodeKind.PAC: records.Sharing(partners=("CSC",), basis="CHA"),
    EpisodeKind.ACN: records.Sharing(partners=("ASC",), basis="CAR"),
}


def held(population: Population, now: datetime) -> list[records.Report]:
    """A report for each episode. The risk of those still missing was looked at on time: the next review falls due after `now`."""
    return [_report(population, episode, now) for episode in population.episodes()]


def _report(population: Population, episode: Episode, now: datetime) -> records.Report:
    subject = population.person(episode.subject_number)
    status, risk = STATUS[episode.status], RISK[episode.risk]
    due = review_due(episode.kind, status, risk, episode.created_at)
    heard = episode.status in (EpisodeStatus.DEBRIEFED, EpisodeStatus.CLOSED) and episode.kind is EpisodeKind.MIS
    return records.Report(
        summary=records.Summary(
            reference=episode.reference,
            type=episode.kind,
            status=status,
            risk=risk,
            role="SUB",
            created=episode.created_at,
            last_seen=episode.last_seen_at,
            restricted=episode.restricted,
            person=_person(population, subject),
            line=episode.circumstances,
        ),
        review_due=_next(due, due - episode.created_at, now) if due else None,
        missing=_missing(population, episode, subject) if episode.kind is EpisodeKind.MIS else None,
        child=_child(episode, subject) if episode.kind is EpisodeKind.PAC else None,
        adult=records.Adult(circumstances=episode.circumstances) if episode.kind is EpisodeKind.ACN else None,
        people=_people(population, subject),
        assessments=(records.Assessment(level=risk, at=episode.created_at, rationale="First assessment."),),
        sharing=SHARED.get(episode.kind),
        located=records.Located(found=episode.found_at, found_by="police") if episode.found_at else None,
        debriefed=records.Debriefed(interview_offered=True, account="Stayed with a friend.") if heard else None,
        closed=records.Closed(reason="Nothing more for the police to do.") if episode.status is EpisodeStatus.CLOSED else None,
    )


def _next(due: datetime, every: timedelta, now: datetime) -> datetime:
    """The first review after `now`, when each was held the moment it fell due."""
    return due if due > now else due + ((now - due) // every + 1) * every


def _missing(population: Population, episode: Episode, subject: Somebody) -> records.Missing:
    home = population.address(subject.address_number)
    return records.Missing(seen=episode.last_seen_at, place=f"{home.street}, {home.town}", circumstances=episode.circumstances)


def _child(episode: Episode, subject: Somebody) -> records.Child:
    return records.Child(
        concerns=tuple(CONCERN[concern] for concern in episode.concerns),
        circumstances=episode.circumstances,
        school=subject.school,
    )


def _people(population: Population, subject: Somebody) -> tuple[records.Linked, ...]:
    if not subject.guardian_number:
        return ()
    return (records.Linked(role="GRD", person=_person(population, population.person(subject.guardian_number))),)


def _person(population: Population, somebody: Somebody) -> records.Person:
    born, home = somebody.date_of_birth, population.address(somebody.address_number)
    return records.Person(
        sex=somebody.sex,
        born=(born.year, born.month, born.day),
        seen_ethnicity=somebody.observed_ethnicity,
        own_ethnicity=somebody.self_defined_ethnicity,
        height=somebody.height_cm,
        pnc_id=somebody.pnc_id,
        cro_number=somebody.cro,
        name=cut_name(somebody.surname, somebody.forenames),
        aliases=tuple(cut_name(alias.surname, alias.forenames) for alias in somebody.aliases),
        addresses=(
            records.Address(
                form=IN_PARTS,
                secondary=str(home.flat or ""),
                primary=str(home.house),
                street=home.street,
                town=home.town,
                uprn=home.uprn,
                postcode=home.postcode,
            ),
        ),
    )


def cut_name(surname: str, forenames: tuple[str, ...]) -> records.Name:
    """A name as Merlin keeps it, each part cut to `NAME_WIDTH`."""
    first, second, third = [name[:NAME_WIDTH] for name in (*forenames, "", "", "")][:3]
    return records.Name(first=first, second=second, third=third, surname=surname[:NAME_WIDTH])
