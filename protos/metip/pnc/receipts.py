"""Receipts of updates by a far system that has no codes of its own: in those of the PNC, since callers of this contract know no others."""

from metip.common.v1.answer_pb2 import Warning as Remark
from metip.common.v1.identifiers_pb2 import CourtCaseReference
from metip.pnc.v1.case_update_service_pb2 import RecordDisposalRequest, RecordDisposalResponse, UpdateReceipt

REMAND, LATER, DISPOSAL = "A0031", "A0005", "A0003"
ADDED = Remark(code="A0029", text="charges that the court added were recorded")
OPENED = Remark(code="A0027", text="a case was opened for what was carried forward")


def receipt(code: str) -> UpdateReceipt:
    """An update that was done."""
    return UpdateReceipt(code=code)


def disposal_receipt(request: RecordDisposalRequest, opened: CourtCaseReference | None) -> RecordDisposalResponse:
    """A disposal that was recorded, with the case that was opened for what was carried forward, where that is known."""
    remarks = [ADDED] if request.HasField("added_charges") else []
    remarks += [OPENED] if request.HasField("carry_forward") else []
    return RecordDisposalResponse(receipt=UpdateReceipt(code=DISPOSAL, remarks=remarks), additional_case=opened)
