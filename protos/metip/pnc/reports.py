"""Reports about people and vehicles by the types of this contract; every far system behind it names them likewise (assumed); pure."""

from metip.pnc.v1.person_pb2 import Circulation, CirculationType
from metip.pnc.v1.vehicle_enquiry_service_pb2 import Handling, VehicleReport, VehicleReportType

# The contract's names without their prefix (assumed).
_CIRCULATIONS = {name.removeprefix("CIRCULATION_TYPE_"): number for name, number in CirculationType.items() if number}
_REPORTS = {name.removeprefix("VEHICLE_REPORT_TYPE_"): number for name, number in VehicleReportType.items() if number}
_HANDLINGS = {
    "": Handling.HANDLING_UNSPECIFIED,
    "NORMAL": Handling.HANDLING_NORMAL,
    "NOT_OVER_OPEN_AIR": Handling.HANDLING_NOT_OVER_OPEN_AIR,
}


def circulation(kind: str, station: str = "", reference: str = "", text: str = "") -> Circulation:
    """A report on the wanted and missing index; of a type that nobody here knows, the text says it."""
    return Circulation(
        type=_CIRCULATIONS.get(kind, CirculationType.CIRCULATION_TYPE_UNSPECIFIED),
        circulated_by=station,
        reference=reference,
        text=text if kind in _CIRCULATIONS else f"{kind}: {text}",
    )


def vehicle_report(kind: str, handling: str = "", station: str = "", reference: str = "", text: str = "") -> VehicleReport:
    """A report about a vehicle; of a type that nobody here knows, the text says it."""
    return VehicleReport(
        type=_REPORTS.get(kind, VehicleReportType.VEHICLE_REPORT_TYPE_UNSPECIFIED),
        # A handling that nobody knows is read as the strictest: what was forbidden on open radio can't be called back.
        handling=_HANDLINGS.get(handling, Handling.HANDLING_NOT_OVER_OPEN_AIR),
        circulated_by=station,
        reference=reference,
        text=text if kind in _REPORTS else f"{kind}: {text}",
    )
