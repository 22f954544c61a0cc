"""Every kind of identifier by name, so that code which knows only the name (a blind index) can canonicalise a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .arrest import parse_arrest_summons_number
from .case import parse_court_case_reference, parse_notice_number, parse_pti_urn
from .incident import parse_cad_number, parse_cris_crime_reference, parse_custody_number, parse_merlin_reference
from .learner import parse_learner_id, parse_uln
from .offence import parse_cjs_offence_code, parse_home_office_classification, parse_npcc_offence_code
from .organisation import (
    parse_court_code,
    parse_force_code,
    parse_force_station_code,
    parse_ou_code,
    parse_worker_reference,
)
from .parsed import Parsed
from .person import parse_cro, parse_driver_number, parse_national_insurance_number, parse_pnc_id
from .place import parse_uprn, parse_usrn
from .record import parse_connect_entity_id, parse_record_reference
from .vehicle import parse_vin, parse_vrm

PARSERS: Mapping[str, Callable[[str], Parsed]] = MappingProxyType(
    {
        "pnc_id": parse_pnc_id,
        "cro": parse_cro,
        "driver_number": parse_driver_number,
        "national_insurance_number": parse_national_insurance_number,
        "arrest_summons_number": parse_arrest_summons_number,
        "court_case_reference": parse_court_case_reference,
        "pti_urn": parse_pti_urn,
        "notice_number": parse_notice_number,
        "cjs_offence_code": parse_cjs_offence_code,
        "npcc_offence_code": parse_npcc_offence_code,
        "home_office_classification": parse_home_office_classification,
        "ou_code": parse_ou_code,
        "force_code": parse_force_code,
        "force_station_code": parse_force_station_code,
        "court_code": parse_court_code,
        "worker_reference": parse_worker_reference,
        "uln": parse_uln,
        "learner_id": parse_learner_id,
        "connect_entity_id": parse_connect_entity_id,
        "record_reference": parse_record_reference,
        "vrm": parse_vrm,
        "vin": parse_vin,
        "cris_crime_reference": parse_cris_crime_reference,
        "cad_number": parse_cad_number,
        "custody_number": parse_custody_number,
        "merlin_reference": parse_merlin_reference,
        "uprn": parse_uprn,
        "usrn": parse_usrn,
    }
)
"""Kind of identifier to the function that reads it. The name is the one used for log keys and proto fields."""
