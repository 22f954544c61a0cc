"""A report as an officer wrote it, to what CRIS and Merlin are asked and to what the exchange keeps, and back. Pure."""

from metip.cris.v1.crime_report_pb2 import REPORTING_CHANNEL_OFFICER, REPORTING_CHANNEL_UNSPECIFIED, CrimeSheet
from metip.cris.v1.crime_report_service_pb2 import CreateCrimeReportRequest, CreateCrimeReportResponse
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.faults import Fault, Reason
from metip.merlin.v1.report_service_pb2 import RaiseReportRequest, RaiseReportResponse
from metip.tablet.v1 import report_service_pb2 as api
from metip.tablet.v1.report_service_pb2 import ForwardReportRequest, SubmitReportRequest, SubmitReportResponse

DESTINATIONS = {"crime": api.REPORT_DESTINATION_CRIS, "safeguarding": api.REPORT_DESTINATION_MERLIN}


def check_tables(version: int, *, required: int, behind: int) -> None:
    """Refuses a report from a device whose code tables are more than `behind` versions older than they should be.

    Raises `Fault` INVALID_REQUEST with the version to load as `required_version`. Tables newer than the hub knows of are taken: the far
    system judges its own codes.
    """
    if version + behind < required:
        text = f"code tables of version {version} are too old: version {required} is required"
        raise Fault(
            Reason.INVALID_REQUEST,
            text,
            metadata={"required_version": str(required), "version": str(version)},
            fields=(("code_tables_version", f"must be {required}; {required - behind} is still taken"),),
        )


def crime(request: SubmitReportRequest) -> CreateCrimeReportRequest:
    """The crime for CRIS, under the submission's id."""
    return CreateCrimeReportRequest(access=request.access, client_reference=request.submission_id, sheet=sheet(request))


def sheet(request: SubmitReportRequest) -> CrimeSheet:
    """The crime sheet; what a tablet does not say of the channel was said to an officer."""
    written = CrimeSheet()
    written.CopyFrom(request.crime)
    if written.reporting_channel == REPORTING_CHANNEL_UNSPECIFIED:
        written.reporting_channel = REPORTING_CHANNEL_OFFICER
    return written


def safeguarding(request: SubmitReportRequest) -> RaiseReportRequest:
    """The report for Merlin, under the submission's id."""
    raised = RaiseReportRequest.FromString(request.safeguarding.SerializeToString())  # the same fields under the same numbers
    raised.access.CopyFrom(request.access)
    raised.submission_id = request.submission_id
    return raised


def forwarded(request: SubmitReportRequest) -> ForwardReportRequest:
    """The message that the exchange keeps until the system takes it."""
    message = ForwardReportRequest(access=request.access, submission_id=request.submission_id)
    if request.HasField("crime"):
        message.crime.CopyFrom(sheet(request))
    else:
        message.safeguarding.CopyFrom(request.safeguarding)
    return message


def field(path: str) -> str:
    """A field of what CRIS or Merlin was asked, as the tablet's request has it."""
    head, dot, rest = path.partition(".")
    named = {"client_reference": "submission_id", "sheet": "crime", "access": "access", "submission_id": "submission_id"}
    return f"{named[head]}{dot}{rest}" if head in named else f"safeguarding.{path}"


def recorded_crime(reply: CreateCrimeReportResponse) -> SubmitReportResponse:
    """CRIS has it."""
    return SubmitReportResponse(
        destination=api.REPORT_DESTINATION_CRIS,
        state=api.SUBMISSION_STATE_RECORDED,
        crime_report_number=reply.crime_report_number,
        repeated_submission=reply.already_recorded,
        provenance=reply.provenance,
    )


def raised_report(reply: RaiseReportResponse) -> SubmitReportResponse:
    """Merlin has it."""
    return SubmitReportResponse(
        destination=api.REPORT_DESTINATION_MERLIN,
        state=api.SUBMISSION_STATE_RECORDED,
        merlin_reference=reply.merlin_reference,
        provenance=reply.provenance,
    )


def under_way(request: SubmitReportRequest, receipt: Receipt) -> SubmitReportResponse:
    """The exchange has it, from now or from an earlier submission."""
    return SubmitReportResponse(
        destination=DESTINATIONS[request.WhichOneof("report") or ""],
        state=api.SUBMISSION_STATE_UNDER_WAY,
        message_id=receipt.duplicate_of or receipt.message_id,
        repeated_submission=bool(receipt.duplicate_of),
    )
