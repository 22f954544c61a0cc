"""What browser tests look for, chosen from the contracts: a message about a vehicle, and an interface between the platforms."""

from datetime import date
from typing import Final

from cases import RecordedCase, case_files, read_case

from adapters.kit.serving import installed_contracts
from hub.cli.messages import installed
from metip.journal.subjects import subjects

VRM: Final = "vrm"
CONTRACTS: Final = installed_contracts(date.min)
OLD: Final = next(one.system for one in CONTRACTS.back_ends if one.platform == "METIP")
"""The system that stands for the old platform."""
_SAMPLES: Final = [one for one in map(read_case, case_files()) if one.case.sample]


def vehicle_of(case: RecordedCase) -> str:
    """The registration that a case's request is about; empty for none."""
    request = installed().kind(case.operation.request).FromString(case.case.request.value)
    return next((value for kind, value in subjects(request) if kind == VRM), "")


ABOUT_A_VEHICLE: Final = next(one for one in _SAMPLES if one.operation.delivery is not None and vehicle_of(one))
SUBSCRIPTION: Final = next(one for one in CONTRACTS.subscriptions if one.operation == ABOUT_A_VEHICLE.operation.name)
QUERIES: Final = [one for one in _SAMPLES if not one.operation.server_streams and one.operation.delivery is None]
MOVED: Final = next(one for one in QUERIES if OLD in CONTRACTS.serving(one.operation.name) and one.system != OLD)
"""A query whose interface both platforms serve."""
