"""Enums of the contract paired with Merlin's codes. Pure."""

from adapters.kit.vocabulary import Vocabulary
from adapters.merlin import codes
from metip.common.v1 import pole_pb2
from metip.merlin.v1 import report_pb2 as contract
from metip.options.v1 import options_pb2

TYPE = Vocabulary(contract.ReportType, codes.TYPES)
STATUS = Vocabulary(contract.ReportStatus, codes.STATUSES)
RISK = Vocabulary(contract.RiskLevel, codes.RISKS)
ROLE = Vocabulary(contract.PersonRole, codes.ROLES)
VULNERABILITY = Vocabulary(contract.Vulnerability, codes.VULNERABILITIES)
CONCERN = Vocabulary(contract.ConcernDomain, codes.CONCERNS)
PARTNER = Vocabulary(contract.Partner, codes.PARTNERS)
BASIS = Vocabulary(contract.LegalBasis, codes.BASES)
PURPOSE = Vocabulary(options_pb2.Purpose, codes.REASONS, ("MIGRATION_TEST", "AUD"))
SEX = Vocabulary(pole_pb2.Sex, codes.SEXES)
ALL = (TYPE, STATUS, RISK, ROLE, VULNERABILITY, CONCERN, PARTNER, BASIS, PURPOSE, SEX)
