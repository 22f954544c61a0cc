"""Courts' codes in those of a national record, as `result_codes.yaml` has them; pure."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from adapters.kit.fixed_width import read_table
from metip.libra.v1.result_pb2 import CourtDurationUnit, CourtFinding, CourtPlea
from metip.pnc.v1.court_case_pb2 import DurationUnit, Finding, Plea

_TABLE: Final = read_table(__file__, "result_codes.yaml")

CARRIED_FORWARD: Final[int] = _TABLE["carried_forward"]
NOT_SENT: Final = frozenset[int](_TABLE["not_sent"])
DISPOSALS: Final = frozenset[int](chain(*_TABLE["disposals"]))
OTHERS: Final[Mapping[int, int]] = _TABLE["others"]
ADJOURNED: Final[Mapping[int, int]] = {code: disposal for disposal, codes in _TABLE["adjourned"].items() for code in codes}
DRIVING: Final = frozenset[int](_TABLE["driving"])
UNDATED: Final = frozenset[int](_TABLE["undated"])
SUSPENDED: Final = frozenset[int](_TABLE["suspended"])
PLEAS: Final[Mapping["CourtPlea.ValueType", "Plea.ValueType"]] = {
    CourtPlea.Value(ours): Plea.Value(theirs) for ours, theirs in _TABLE["pleas"].items()
}
FINDINGS: Final[Mapping["CourtFinding.ValueType", "Finding.ValueType"]] = {
    CourtFinding.Value(ours): Finding.Value(theirs) for ours, theirs in _TABLE["findings"].items()
}
UNITS: Final[Mapping["CourtDurationUnit.ValueType", "DurationUnit.ValueType"]] = {
    CourtDurationUnit.Value(ours): DurationUnit.Value(theirs) for ours, theirs in _TABLE["units"].items()
}
NOT_RECORDABLE: Final = frozenset[str](_TABLE["not_recordable"])
RECORDABLE: Final = frozenset[str](chain(*_TABLE["recordable"]))
