"""What of the contract stands where in CONNECT's documents (assumed), as tables that are read both ways."""

import re
from collections.abc import Mapping
from dataclasses import replace

from adapters.connect import codes
from adapters.kit.mapping import YES_NO, At, Each, Kind, Table, alike, coded, each_coded, under
from metip.connect.v1.entity_pb2 import EntityId

ID_FORM = re.compile("[NVLICR][0-9]{10}")

ID = Kind(lambda said: EntityId(value=said) if ID_FORM.fullmatch(said) else EntityId(as_received=said[:40]), lambda message: message.value)
KIND_OF = Kind(lambda received: codes.KIND.get(received[:1], 0), str)
NAME = alike("", "", "title given_names family_name")
ADDRESS = (*alike("bs7666", "", "secondary primary street locality town uprn"), At("lines.line", "lines"), *alike("", "", "postcode"))
IN_LISTS = (
    *under("name", "identity.name", NAME),
    At("date_of_birth", "identity.dateOfBirth"),
    At("sex", "identity.sex", coded(codes.SEX)),
    *alike("", "identifiers", "pnc_id"),
    Each("warning_signals", "warnings.signals", alike("", "", "code text")),
)
"""What a list says of a person."""
PERSON = (
    *IN_LISTS,
    Each("aliases", "identity.aliases", NAME),
    At("cro_number", "identifiers.croNumber"),
    At("observed_ethnicity", "description.observedEthnicity", coded(codes.SEEN)),
    *alike("", "description", "self_defined_ethnicity height_cm"),
    Each("addresses", "addresses.places", ADDRESS),
)
VEHICLE = (At("vrm", "vehicle.registration"), *alike("", "vehicle", "vin make model colour first_registered"))
SHEET = (
    *alike("", "offence", "crime_report_number cjs_offence_code classification committed_from committed_to borough flags"),
    At("summary", "progress.summary"),
)
NUMBERED = alike("", "detention", "custody_record_number source_version")
CUSTODY = (
    *alike("", "detention", "suite arrived_at arrested_at arrest_summons_number"),
    Each("offences", "detention.offences", alike("", "", "number cjs_offence_code")),
    *under("detained_person", "", PERSON),
    At("observation_level", "care.observation", coded(codes.OBSERVATION)),
    Each("disposals", "disposal.outcomes", (*alike("", "", "offence_number decided_at"), At("kind", "outcome", coded(codes.OUTCOME)))),
    At("released_at", "disposal.releasedAt"),
    At("release_kind", "disposal.release", coded(codes.RELEASE)),
)
NEED_FOUND = At("appropriate_adult.need_found", "care.appropriateAdult", YES_NO)
ADULT: Mapping[str, At] = {"CONNECT": NEED_FOUND, "NSPIS": replace(NEED_FOUND, ours="appropriate_adult.called")}
"""What the one field for an appropriate adult means in each source (Met FOI 01.FOI.23.031055); of any other source it is left out."""
ITEM = (
    *alike("", "", "text handling_conditions"),
    At("source_evaluation", "grading.source", coded(codes.SOURCE_GRADE)),
    At("information_evaluation", "grading.information", coded(codes.INFORMATION_GRADE)),
    At("handling", "grading.handling", coded(codes.HANDLING)),
)
ITEMS = (Each("items", "intelligence.items", ITEM),)

SEMANTIC = Kind(lambda said: said if re.fullmatch(r"([0-9]{1,4}\.){2}[0-9]{1,4}", said) else "", str)
GROUP = (
    At("source_system", "source", coded(codes.SOURCE)),
    At("source_code", "source"),
    At("semantic_version", "semanticVersion", SEMANTIC),
)
AS_AT = At("provenance.as_of", "asAt")
HEAD = (At("entity_id", "id", ID), *alike("", "", "version restricted"))
LINKS = Each("links", "links", (HEAD[0], At("kind", "id", KIND_OF), At("role", "role", coded(codes.ROLE))))
MERGED = (AS_AT, At("merged.moved_to", "movedTo", ID), At("merged.merged_at", "mergedAt"))
LINKED = (AS_AT, At("version", "version"), At("already_done", "replayed"))
DONE = (HEAD[0], *LINKED)


def _summary(ours: str, theirs: str, table: Table) -> Table:
    return (*HEAD, *under(ours, f"sections{theirs}", table))


def _record(ours: str, theirs: str, table: Table, *more: At | Each) -> Table:
    return (AS_AT, *under("record", "", (*HEAD, LINKS, *under(ours, f"sections{theirs}", table), *more)))


PERSON_SUMMARY, PERSON_RECORD = _summary("person", "", IN_LISTS), _record("person", "", PERSON)
VEHICLE_SUMMARY, VEHICLE_RECORD = _summary("vehicle", "", VEHICLE), _record("vehicle", "", VEHICLE)
LOCATION_SUMMARY = _summary("address", ".premises.place", ADDRESS)
LOCATION_RECORD = _record("address", ".premises.place", ADDRESS, *alike("", "sections.premises", "easting northing"))
STATUS = At("status", "sections.progress.status", coded(codes.STATUS))
INVESTIGATION = _record("sheet", "", SHEET, STATUS, At("recorded_at", "recorded"))
INTELLIGENCE = _record("", "", ITEMS, At("submitted_at", "recorded"))
CUSTODY_RECORDS: Mapping[str, Table] = {
    source: _record("", "", (*NUMBERED, *under("sheet", "", (*CUSTODY, adult)))) for source, adult in ADULT.items()
}
CUSTODY_RECORD = _record("", "", (*NUMBERED, *under("sheet", "", CUSTODY)))

NEW_INVESTIGATION = (*under("sheet", "sections", SHEET), At("steps_taken", "stepsTaken", each_coded(codes.STEP)))
NEW_REPORT = (*under("", "sections", ITEMS), Each("about", "links", (At("value", "id"),)))
NEW_CUSTODY = under("", "sections", (*NUMBERED, *under("sheet", "", (*CUSTODY, NEED_FOUND))))
NEW_LINK = (At("linked_entity_id", "id", ID), At("role", "role", coded(codes.ROLE)))
NSPIS_NAMES = {
    "arrested_at": "arrest.arrested_at",
    "offences": "arrest.offences",
    "observation_level": "risk",
    "released_at": "release.released_at",
    "release_kind": "release.kind",
}
"""Fields that the custody system's own contract has under another name; the numbers of its enumerations are the same."""
NEW_NSPIS_CUSTODY = (
    *under("", "sections", (NUMBERED[0], replace(NUMBERED[1], ours="version"))),
    *under("record", "sections", tuple(replace(row, ours=NSPIS_NAMES.get(row.ours, row.ours)) for row in CUSTODY)),
)
PERSON_CRITERIA = alike("", "", "family_name given_names date_of_birth pnc_id")
VEHICLE_CRITERIA, LOCATION_CRITERIA = alike("", "", "vrm vin"), alike("", "", "postcode street primary uprn")
CHANGE = (
    *HEAD[:2],
    At("kind", "id", KIND_OF),
    At("change", "change", coded(codes.CHANGE)),
    At("sections", "sections", each_coded(codes.SECTION)),
    At("counterpart", "other", ID),
    At("changed_at", "at"),
)
FIELDS: Mapping[str, str] = {f"/{row.theirs.replace('.', '/')}": row.ours for row in (*NEW_INVESTIGATION, *NEW_REPORT, *NEW_CUSTODY)}
"""Where CONNECT says that something is wrong (RFC 6901), to the path in the contract."""
