"""Enums of the contracts paired with COPA's codes. Pure."""

from adapters.copa import codes
from adapters.kit.vocabulary import Vocabulary
from metip.common.v1 import pole_pb2
from metip.copa.v1 import case_file_pb2 as contract
from metip.libra.v1 import result_pb2
from metip.options.v1 import options_pb2

STATUS = Vocabulary(contract.CaseStatus, codes.STATUSES)
REASON = Vocabulary(options_pb2.Purpose, codes.REASONS, ("MIGRATION_TEST", "AUD"))
PLEA = Vocabulary(result_pb2.CourtPlea, codes.PLEAS, ("GUILTY_6", "G"))
VERDICT = Vocabulary(result_pb2.CourtFinding, codes.VERDICTS)
SEX = Vocabulary(pole_pb2.Sex, codes.SEXES)
