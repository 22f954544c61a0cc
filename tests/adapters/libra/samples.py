"""A case as a force submits it, made from the recorded sample; other tests change parts of it."""

from typing import Any

from cases import case_files, read_case

from metip.libra.v1.case_service_pb2 import SubmitCaseRequest


def sample_case(**changed: Any) -> SubmitCaseRequest:
    """The sample of `adapters/libra/cases`, with fields changed."""
    recorded = next(one for one in map(read_case, case_files(("libra",))) if one.case.sample and one.case.operation.endswith("SubmitCase"))
    request = SubmitCaseRequest()
    recorded.case.request.Unpack(request)
    request.MergeFrom(SubmitCaseRequest(**changed))
    return request
