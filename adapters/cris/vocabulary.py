"""The contract's enums and CRIS's codes for them, each table one to one, with UNSPECIFIED first."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from adapters.cris.codes import Channel, Involvement, Page, Role, Sex, Status, Why
from metip.common.v1 import pole_pb2 as pole
from metip.cris.v1 import crime_report_pb2 as cris
from metip.options.v1 import options_pb2 as options

Member = TypeVar("Member")

REASONS: Mapping[options.Purpose.ValueType, str] = MappingProxyType(
    {
        options.PURPOSE_UNSPECIFIED: "",
        options.PURPOSE_STREET_STOP: Why.STREET_STOP,
        options.PURPOSE_ROAD_TRAFFIC: Why.ROAD_TRAFFIC,
        options.PURPOSE_ARREST_DETENTION: Why.ARREST_DETENTION,
        options.PURPOSE_CRIME_INVESTIGATION: Why.CRIME_INVESTIGATION,
        options.PURPOSE_INCIDENT_RESPONSE: Why.INCIDENT_RESPONSE,
        options.PURPOSE_SAFEGUARDING: Why.SAFEGUARDING,
        options.PURPOSE_PROSECUTION: Why.PROSECUTION,
        options.PURPOSE_AUDIT: Why.AUDIT,
    }
)
ROLES: Mapping[cris.PartyRole.ValueType, str] = MappingProxyType(
    {
        cris.PARTY_ROLE_UNSPECIFIED: "",
        cris.PARTY_ROLE_VICTIM: Role.VICTIM,
        cris.PARTY_ROLE_SUSPECT: Role.SUSPECT,
        cris.PARTY_ROLE_INFORMANT: Role.INFORMANT,
        cris.PARTY_ROLE_WITNESS: Role.WITNESS,
    }
)
STATUSES: Mapping[cris.CrimeReportStatus.ValueType, str] = MappingProxyType(
    {
        cris.CRIME_REPORT_STATUS_UNSPECIFIED: "",
        cris.CRIME_REPORT_STATUS_OPEN: Status.OPEN,
        cris.CRIME_REPORT_STATUS_DETECTED: Status.DETECTED,
        cris.CRIME_REPORT_STATUS_SCREENED_OUT: Status.SCREENED_OUT,
    }
)
CHANNELS: Mapping[cris.ReportingChannel.ValueType, str] = MappingProxyType(
    {
        cris.REPORTING_CHANNEL_UNSPECIFIED: "",
        cris.REPORTING_CHANNEL_TELEPHONE: Channel.TELEPHONE,
        cris.REPORTING_CHANNEL_COUNTER: Channel.COUNTER,
        cris.REPORTING_CHANNEL_OFFICER: Channel.OFFICER,
        cris.REPORTING_CHANNEL_ONLINE: Channel.ONLINE,
    }
)
INVOLVEMENTS: Mapping[cris.PropertyInvolvement.ValueType, str] = MappingProxyType(
    {
        cris.PROPERTY_INVOLVEMENT_UNSPECIFIED: "",
        cris.PROPERTY_INVOLVEMENT_STOLEN: Involvement.STOLEN,
        cris.PROPERTY_INVOLVEMENT_DAMAGED: Involvement.DAMAGED,
        cris.PROPERTY_INVOLVEMENT_RECOVERED: Involvement.RECOVERED,
        cris.PROPERTY_INVOLVEMENT_USED: Involvement.USED,
    }
)
PAGES: Mapping[cris.DetailPage.ValueType, str] = MappingProxyType(
    {
        cris.DETAIL_PAGE_UNSPECIFIED: "",
        cris.DETAIL_PAGE_INVESTIGATION: Page.INVESTIGATION,
        cris.DETAIL_PAGE_VICTIM_CONTACT: Page.VICTIM_CONTACT,
        cris.DETAIL_PAGE_FORENSIC: Page.FORENSIC,
        cris.DETAIL_PAGE_SUPERVISION: Page.SUPERVISION,
    }
)
SEXES: Mapping[pole.Sex.ValueType, str] = MappingProxyType(
    {
        pole.SEX_UNSPECIFIED: "",
        pole.SEX_MALE: Sex.MALE,
        pole.SEX_FEMALE: Sex.FEMALE,
        pole.SEX_NOT_SPECIFIED: Sex.NOT_SPECIFIED,
    }
)


def code(table: Mapping[Member, str], value: Member) -> str:
    """CRIS's code; '' for a member that CRIS has none for."""
    return table.get(value, "")


def member(table: Mapping[Member, str], held: str) -> Member:
    """The enum's member; the table's first, UNSPECIFIED, for a code that the table lacks: never a guess."""
    return next((value for value, known in table.items() if known == held), next(iter(table)))
