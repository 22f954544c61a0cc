"""Courts' codes in PNC's own, as `result_codes.yaml` has them: results to disposal codes, pleas and verdicts to its words; pure."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from metip.libra.v1.result_pb2 import CourtDurationUnit, CourtFinding, CourtPlea
from metip.pnc.v1.court_case_pb2 import DurationUnit, Finding, Plea
from metip.tables import read_table

_READ: Final = read_table(__file__, "result_codes.yaml")

CARRIED_FORWARD: Final[int] = _READ["carried_forward"]
NOT_SENT: Final = frozenset[int](_READ["not_sent"])
DISPOSALS: Final = frozenset[int](chain(*_READ["disposals"]))
OTHERS: Final[Mapping[int, int]] = _READ["others"]
ADJOURNED: Final[Mapping[int, int]] = {code: disposal for disposal, codes in _READ["adjourned"].items() for code in codes}
DRIVING: Final = frozenset[int](_READ["driving"])
UNDATED: Final = frozenset[int](_READ["undated"])
SUSPENDED: Final = frozenset[int](_READ["suspended"])
PLEAS: Final[Mapping["CourtPlea.ValueType", "Plea.ValueType"]] = {
    CourtPlea.Value(court): Plea.Value(ours) for court, ours in _READ["pleas"].items()
}
FINDINGS: Final[Mapping["CourtFinding.ValueType", "Finding.ValueType"]] = {
    CourtFinding.Value(court): Finding.Value(ours) for court, ours in _READ["findings"].items()
}
UNITS: Final[Mapping["CourtDurationUnit.ValueType", "DurationUnit.ValueType"]] = {
    CourtDurationUnit.Value(court): DurationUnit.Value(ours) for court, ours in _READ["units"].items()
}
NOT_RECORDABLE: Final = frozenset[str](_READ["not_recordable"])
RECORDABLE: Final = frozenset[str](chain(*_READ["recordable"]))
