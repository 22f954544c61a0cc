"""The simulated host's logs and units: what has happened to the invented people, and what is told to it from then on."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, cycle
from math import hypot
from typing import Any

from adapters.cad.records import Block, Control, Incident, Line, Unit
from adapters.cad.wire import ROWS
from adapters.kit.population import Population
from adapters.kit.population.incidents import FIRST_TODAY, TYPES, incidents
from adapters.kit.population.incidents import Incident as Story
from adapters.kit.population.units import units, units_of
from metip.identifiers import build_cad_number

MOST_ROWS, PAGE, AVAILABLE, ASSIGNED, OFF_DUTY = 200, 20, "2", "4", "10"
# Kind of line to the state in which it leaves its incident, and to those in which it can be added; others can in any but CLO.
STATES = {"OPN": "OPN", "ASG": "ASG", "RES": "RES", "CLO": "CLO", "REO": "OPN"}
NEEDS = {"CLO": ("RES",), "REO": ("CLO",)}
Tell = Callable[[Incident, Line], None]


class Refused(Exception):
    """What the host refuses: its code, and the tag of the row that it does not like."""


@dataclass
class Log:
    """One incident with its log."""

    incident: Incident
    lines: list[Line] = field(default_factory=list)


class Host:
    """The host. `tell` is given each line that is added from now on, with the incident as it then stands."""

    def __init__(self, population: Population, tell: Tell) -> None:
        self._tell = tell
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(second=0, microsecond=0)
        self.midnights = 0  # how often the day has turned before its time
        self._days: dict[date, Iterator[int]] = {}
        self._replies: dict[str, tuple[Block, Block]] = {}
        self.logs: dict[str, Log] = {}
        at = population.scale.now
        known = (Unit(one.call_sign, one.force_station, AVAILABLE, at, "", one.easting, one.northing) for one in units(population))
        self.on_duty = {unit.call_sign: unit for unit in known}
        self._gazetteer = {one.street.upper(): (one.easting, one.northing) for one in population.addresses()}
        stories = incidents(population)
        for story in stories:
            self._happened(story, story.cad_number, story.opened_at, lambda incident, line: None)
        self._stories = cycle(story for story in stories if story.outcome)

    def happen(self, minutes_ago: int = 0, *, back: bool = False) -> str:
        """Something happens today, from call to closure; `back` enters it from paper. Gives its CAD number."""
        return self._happened(next(self._stories), self._next_number(), self.now() - timedelta(minutes=minutes_ago), self._tell, back=back)

    def do(self, asked: Block) -> Block:
        """The answer; for a reference that was used before, the answer to the first. Raises `Refused`."""
        reference, content = asked.control.reference, replace(asked, number=0, control=Control())
        first, reply = self._replies.get(reference, (content, None))
        if first != content:
            raise Refused("E03")
        if reply:
            return replace(reply, control=replace(reply.control, duplicate=True))
        done: Block = getattr(self, asked.kind.name.lower())(asked)
        if reference:
            self._replies[reference] = (content, done)
        return done

    def _next_number(self) -> str:
        """The next number; each day begins with the same one."""
        day = self.now().date() + timedelta(days=self.midnights)
        return build_cad_number(next(self._days.setdefault(day, count(FIRST_TODAY))), day)

    def _happened(self, story: Story, number: str, at: datetime, tell: Tell, *, back: bool = False) -> str:
        """Makes a story's log. What happens today is over at once."""
        operator, past = f"P{300_000 + story.venue.number}", number == story.cad_number
        log = self.logs[number] = Log(Incident(number, at, **story.head()))
        free = (sign for sign in units_of(story.venue.borough) if sign in self.on_duty and self.on_duty[sign].state == AVAILABLE)
        for minutes, kind, values in story.course("" if story.grade == "R" else next(free, "")):
            then = at + timedelta(minutes=minutes) if past else at
            line = Line(0, kind, then, self.now() if back else then, operator, "LAM017", back, **values)
            self._add(log, line, tell)
        return number

    def _add(self, log: Log, line: Line, tell: Tell) -> Line:
        """Adds a line, with what it changes."""
        line, held = replace(line, number=len(log.lines) + 1), log.incident
        gone = line.kind == "UST" and line.state in (AVAILABLE, OFF_DUTY)
        assigned = [sign for sign in held.call_signs if line.kind != "CLO" and not (gone and sign == line.call_sign)]
        assigned += [line.call_sign] * (line.kind == "ASG")
        for sign in held.call_signs if line.kind == "CLO" else filter(None, (line.call_sign,)):
            state = {"ASG": ASSIGNED, "CLO": AVAILABLE}.get(line.kind, line.state)
            self._move(sign, state, line, held.cad_number if sign in assigned else "")
        log.incident = replace(
            held,
            state=STATES.get(line.kind, held.state),
            grade=line.grade or held.grade,
            call_signs=_set(assigned),
            class_codes=line.class_codes or held.class_codes,
            crime_report_numbers=_set((*held.crime_report_numbers, line.crime_report_number)),
            linked_incidents=_set((*held.linked_incidents, line.cad_number)),
        )
        log.lines.append(line)
        tell(log.incident, line)
        return line

    def _move(self, sign: str, state: str, line: Line, cad_number: str = "") -> None:
        self.on_duty[sign] = replace(self.on_duty[sign], state=state, since=line.entered_at, assigned_to=cad_number)
        if state == OFF_DUTY:
            del self.on_duty[sign]

    # What is asked and commanded, by the name of its kind. Each raises `Refused`.

    def create(self, asked: Block) -> Block:
        """Opens an incident."""
        wanted, line = asked.incidents[0], self._checked(asked, "TYP", asked.incidents[0].opening_codes)
        if not wanted.easting:
            easting, northing = next((grid for street, grid in self._gazetteer.items() if street in wanted.text), (0, 0))
            wanted = replace(wanted, easting=easting, northing=northing)
        number = self._next_number()
        log = self.logs[number] = Log(replace(wanted, cad_number=number, opened_at=line.happened_at))
        self._add(log, line, self._tell)
        return replace(asked, control=Control(unmatched=not wanted.easting), incidents=(log.incident,), lines=())

    def update(self, asked: Block) -> Block:
        """Adds a line."""
        log, line = _found(self.logs, asked.incidents[0].cad_number, "E01"), self._checked(asked, "CLS", asked.lines[0].class_codes)
        if log.incident.state not in NEEDS.get(line.kind, ("OPN", "ASG", "RES")):
            raise Refused("E04")
        if line.kind == "ASG" and _found(self.on_duty, line.call_sign, "E05").assigned_to not in ("", log.incident.cad_number):
            raise Refused("E06")
        retracted = [one for one in log.lines if one.number == line.line_number and one.kind != "RET"]
        if (line.kind == "RET" and not retracted) or (line.kind == "LNK" and line.cad_number not in self.logs):
            raise Refused("E07")
        return replace(asked, control=Control(), lines=(self._add(log, line, self._tell),))

    def unit_state(self, asked: Block) -> Block:
        """Sets a unit's state."""
        wanted, unit = asked.units[0], _found(self.on_duty, asked.units[0].call_sign, "E05")
        line = self._checked(replace(asked, lines=(Line(kind="UST", call_sign=wanted.call_sign, state=wanted.state),)), "", ())
        self.on_duty[unit.call_sign] = replace(unit, easting=wanted.easting or unit.easting, northing=wanted.northing or unit.northing)
        if unit.assigned_to:
            return replace(asked, units=(unit,), lines=(self._add(self.logs[unit.assigned_to], line, self._tell),))
        self._move(wanted.call_sign, wanted.state, line)
        return replace(asked, units=(unit,))

    def inquire(self, asked: Block) -> Block:
        """Gives an incident, by its number or by that of the agency that handed it over."""
        like = asked.incidents[0]
        theirs = {log.incident.agency_reference: number for number, log in self.logs.items()} if like.agency_reference else {}
        log = _found(self.logs, like.cad_number or theirs.get(like.agency_reference, ""), "E01")
        return _page(replace(asked, incidents=(log.incident,)), "lines", log.lines)

    def search(self, asked: Block) -> Block:
        """Finds incidents like the one in the block, latest first."""
        by, like = asked.control, asked.incidents[0]
        first, last = by.first_day or date.max, by.last_day or date.min
        if not timedelta() <= last - first <= timedelta(days=31):
            raise Refused("E02", "DTO")
        found = [
            log.incident
            for log in self.logs.values()
            if log.incident.opened_at
            and first <= log.incident.opened_at.date() <= last
            and like.grade in ("", log.incident.grade)
            and {line.call_sign for line in log.lines}.issuperset(like.call_signs)
            and by.street in log.incident.text
            and (not by.radius or hypot(like.easting - log.incident.easting, like.northing - log.incident.northing) <= by.radius)
        ]
        return _page(asked, "incidents", sorted(found, key=lambda one: (one.opened_at, one.cad_number), reverse=True))

    def units(self, asked: Block) -> Block:
        """Gives a unit, or those of a station."""
        like = asked.units[0]
        called = (unit for sign, unit in sorted(self.on_duty.items()) if like.call_sign in ("", sign))
        return _page(asked, "units", [one for one in called if like.station in ("", one.station) and like.state in ("", one.state)])

    def _checked(self, asked: Block, row: str, codes: Sequence[str]) -> Line:
        """The line of a command as it is to be added."""
        line, now = asked.lines[0], self.now()
        at = line.happened_at or now
        if not TYPES.issuperset(codes) or len(ROWS.split("", line.text)) > MOST_ROWS:
            raise Refused("E02", "TXT" if TYPES.issuperset(codes) else row)
        if not now - timedelta(days=7) <= at <= now + timedelta(minutes=1):
            raise Refused("E02", "HAP")
        return replace(line, happened_at=at, entered_at=now, operator=asked.control.operator, terminal="METIP")


def _found(table: Mapping[str, Any], key: str, code: str) -> Any:
    if key not in table:
        raise Refused(code)
    return table[key]


def _set(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _page(asked: Block, part: str, found: Sequence[Any]) -> Block:
    """One page of what was found. Raises `Refused` when there is none."""
    if not found:
        raise Refused("E01")
    page: dict[str, Any] = {part: tuple(found[asked.control.after :][:PAGE])}
    return replace(asked, control=replace(asked.control, more=len(found) > asked.control.after + PAGE), **page)
