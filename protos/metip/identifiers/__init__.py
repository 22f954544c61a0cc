"""Formats, check letters and canonical forms of the identifiers that police and justice systems exchange; pure Python.

`PARSERS["vrm"](text)` or `parse_vrm(text)` gives a `Parsed`: `raw`, `canonical` ('' when invalid) and `problem`.
`build_*` makes a canonical identifier of its parts; the others turn a canonical form into one that a system prints.
"""

from .arrest import (
    build_arrest_summons_number,
    is_dummy_arrest_summons_number,
    parse_arrest_summons_number,
    slash_arrest_summons_number,
)
from .case import (
    build_court_case_reference,
    build_pti_urn,
    parse_court_case_reference,
    parse_notice_number,
    parse_pti_urn,
    short_court_case_reference,
)
from .check_letter import check_letter
from .incident import (
    MERLIN_TYPES,
    build_cad_number,
    build_cris_crime_reference,
    build_custody_number,
    build_merlin_reference,
    merlin_type,
    parse_cad_number,
    parse_cris_crime_reference,
    parse_custody_number,
    parse_merlin_reference,
)
from .learner import build_uln, parse_learner_id, parse_uln
from .offence import (
    colon_npcc_offence_code,
    parse_cjs_offence_code,
    parse_home_office_classification,
    parse_npcc_offence_code,
)
from .organisation import (
    parse_court_code,
    parse_force_code,
    parse_force_station_code,
    parse_ou_code,
    parse_worker_reference,
)
from .parsed import Parsed
from .person import (
    build_cro,
    build_driver_number,
    build_pnc_id,
    parse_cro,
    parse_driver_number,
    parse_national_insurance_number,
    parse_pnc_id,
    plain_pnc_id,
    short_pnc_id,
)
from .place import parse_uprn, parse_usrn
from .record import parse_connect_entity_id, parse_record_reference
from .registry import PARSERS
from .vehicle import VrmScheme, parse_vin, parse_vrm, vrm_period, vrm_scheme

__all__ = [
    "MERLIN_TYPES",
    "PARSERS",
    "Parsed",
    "VrmScheme",
    "build_arrest_summons_number",
    "build_cad_number",
    "build_court_case_reference",
    "build_cris_crime_reference",
    "build_cro",
    "build_custody_number",
    "build_driver_number",
    "build_merlin_reference",
    "build_pnc_id",
    "build_pti_urn",
    "build_uln",
    "check_letter",
    "colon_npcc_offence_code",
    "is_dummy_arrest_summons_number",
    "merlin_type",
    "parse_arrest_summons_number",
    "parse_cad_number",
    "parse_cjs_offence_code",
    "parse_connect_entity_id",
    "parse_court_case_reference",
    "parse_court_code",
    "parse_cris_crime_reference",
    "parse_cro",
    "parse_custody_number",
    "parse_driver_number",
    "parse_force_code",
    "parse_force_station_code",
    "parse_home_office_classification",
    "parse_learner_id",
    "parse_merlin_reference",
    "parse_national_insurance_number",
    "parse_notice_number",
    "parse_npcc_offence_code",
    "parse_ou_code",
    "parse_pnc_id",
    "parse_pti_urn",
    "parse_record_reference",
    "parse_uln",
    "parse_uprn",
    "parse_usrn",
    "parse_vin",
    "parse_vrm",
    "parse_worker_reference",
    "plain_pnc_id",
    "short_court_case_reference",
    "short_pnc_id",
    "slash_arrest_summons_number",
    "vrm_period",
    "vrm_scheme",
]
