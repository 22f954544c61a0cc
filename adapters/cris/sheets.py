"""Crime sheets and their parts, the contract's to CRIS's and back; pure."""

from collections.abc import Iterable

from adapters.cris import codes, people, records, vocabulary
from adapters.kit.latin import Transcript
from metip.common.v1.identifiers_pb2 import CadNumber
from metip.cris.v1 import crime_report_pb2 as cris
from metip.identifiers import parse_cad_number


def sheet(asked: cris.CrimeSheet, path: str, copy: Transcript) -> records.Sheet:
    """A crime sheet for CRIS; the title of the classification is CRIS's own and stays behind."""
    return records.Sheet(
        channel=vocabulary.code(vocabulary.CHANNELS, asked.reporting_channel),
        borough=asked.borough,
        beat=copy.copy(f"{path}.beat", asked.beat, 6),
        class_code=asked.classification.code,
        committed=period(asked.committed),
        venue=people.address(asked.venue.address, f"{path}.venue.address", copy) if asked.venue.HasField("address") else None,
        easting=asked.venue.easting,
        northing=asked.venue.northing,
        mo_text=copy.copy(f"{path}.modus_operandi", asked.modus_operandi, codes.METHOD),
        flags=tuple(asked.flags),
        parties=parties(asked.parties, path, copy),
        property=property_lines(asked.property, path, copy),
        first_officer=asked.first_officer,
        cad_no=asked.cad_number.value,
    )


def known_sheet(held: records.Sheet) -> cris.CrimeSheet:
    """A crime sheet as CRIS has it."""
    placed = held.venue is not None or held.easting or held.northing
    venue = cris.Venue(address=people.known_address(held.venue) if held.venue else None, easting=held.easting, northing=held.northing)
    incident = parse_cad_number(held.cad_no) if held.cad_no else None
    return cris.CrimeSheet(
        reporting_channel=vocabulary.member(vocabulary.CHANNELS, held.channel),
        borough=held.borough,
        beat=held.beat,
        classification=cris.Classification(code=held.class_code, title=held.class_title),
        committed=cris.CommittedPeriod(
            from_date=people.civil_date(held.committed.from_date),
            from_time=people.local_time(held.committed.from_time),
            to_date=people.civil_date(held.committed.to_date),
            to_time=people.local_time(held.committed.to_time),
        ),
        venue=venue if placed else None,
        modus_operandi=held.mo_text,
        flags=held.flags,
        parties=[_party(party) for party in held.parties],
        property=[_line(line) for line in held.property],
        first_officer=held.first_officer,
        cad_number=CadNumber(value=incident.canonical, as_received="" if incident.canonical else held.cad_no) if incident else None,
    )


def period(asked: cris.CommittedPeriod) -> records.Period:
    """When a crime was committed, for CRIS."""
    first = people.day(asked.from_date)
    assert first is not None, "the contract demands a complete first day"
    return records.Period(
        from_date=first,
        from_time=people.at(asked.from_time) if asked.HasField("from_time") else None,
        to_date=people.day(asked.to_date),
        to_time=people.at(asked.to_time) if asked.HasField("to_time") else None,
    )


def parties(asked: Iterable[cris.CrimeParty], path: str, copy: Transcript) -> tuple[records.Party, ...]:
    """People in a crime, for CRIS."""
    return tuple(
        records.Party(
            number=party.number,
            role=vocabulary.code(vocabulary.ROLES, party.role),
            person=people.person(party.person, f"{path}.parties.person", copy),
        )
        for party in asked
    )


def _party(held: records.Party) -> cris.CrimeParty:
    return cris.CrimeParty(
        number=held.number,
        role=vocabulary.member(vocabulary.ROLES, held.role),
        person=people.known_person(held.person),
    )


def property_lines(asked: Iterable[cris.PropertyLine], path: str, copy: Transcript) -> tuple[records.PropertyLine, ...]:
    """Property in a crime, for CRIS."""
    return tuple(
        records.PropertyLine(
            number=line.number,
            involvement=vocabulary.code(vocabulary.INVOLVEMENTS, line.involvement),
            description=copy.copy(f"{path}.property.description", line.description, codes.LINE),
            mark=copy.copy(f"{path}.property.identifying_mark", line.identifying_mark, codes.MARK),
            value_pounds=line.value_pounds,
        )
        for line in asked
    )


def _line(held: records.PropertyLine) -> cris.PropertyLine:
    return cris.PropertyLine(
        number=held.number,
        involvement=vocabulary.member(vocabulary.INVOLVEMENTS, held.involvement),
        description=held.description,
        identifying_mark=held.mark,
        value_pounds=held.value_pounds,
    )
