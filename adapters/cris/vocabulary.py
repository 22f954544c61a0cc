"""The contract's enums and CRIS's codes for them: every code has the name of its enum's value. Pure."""

from enum import StrEnum
from typing import Any

from adapters.cris import codes
from adapters.kit.vocabulary import Vocabulary
from metip.common.v1 import pole_pb2 as pole
from metip.cris.v1 import crime_report_pb2 as cris
from metip.options.v1 import options_pb2 as options


def _paired(enum: Any, theirs: type[StrEnum], *more: tuple[str, str]) -> Vocabulary:
    return Vocabulary(enum, {one.value: one.name for one in theirs}, *more)


REASONS = _paired(options.Purpose, codes.Why, ("MIGRATION_TEST", codes.Why.AUDIT))
ROLES = _paired(cris.PartyRole, codes.Role)
STATUSES = _paired(cris.CrimeReportStatus, codes.Status)
CHANNELS = _paired(cris.ReportingChannel, codes.Channel)
INVOLVEMENTS = _paired(cris.PropertyInvolvement, codes.Involvement)
PAGES = _paired(cris.DetailPage, codes.Page)
SEXES = _paired(pole.Sex, codes.Sex)
ALL = (REASONS, ROLES, STATUSES, CHANNELS, INVOLVEMENTS, PAGES, SEXES)
