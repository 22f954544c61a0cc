"""The tap, where adapters offer answered calls, and what operators set of it."""

from typing import Any

from grpc_status import rpc_status

from hub.api.checking import check
from hub.api.operators import OPERATOR
from hub.mesh.inputs import HUB_SYSTEM
from hub.parity.running import Pairs
from hub.parity.sampling import ForbiddenError, Sampling, forbidden
from metip.call import CALL_ID_HEADER, OPERATOR_HEADER
from metip.faults import Fault, Reason, status_of
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST
from metip.parity.v1 import sampling_service_pb2 as api
from metip.parity.v1 import tap_service_pb2 as tap_api
from metip.parity.v1.sampling_service_pb2_grpc import SamplingServiceServicer
from metip.parity.v1.tap_service_pb2_grpc import TapServiceServicer


class TapApi(TapServiceServicer):
    """Takes offers of adapters."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    async def Offer(self, request: tap_api.OfferRequest, context: Any) -> tap_api.OfferResponse:  # noqa: N802
        """Takes what is wanted; see the contract."""
        return tap_api.OfferResponse(taken=self._pairs.offer(request.samples, request.drops))


class SamplingApi(SamplingServiceServicer):
    """Says what is sampled."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    async def SetSampling(self, request: api.SetSamplingRequest, context: Any) -> api.SetSamplingResponse:  # noqa: N802
        """Sets the share of one operation; see the contract."""
        await check(request, context)
        said, pairs = request.sampling, self._pairs
        one = Sampling(said.operation, said.per_million, said.again_per_million, said.cap_per_hour, said.shadow)
        try:
            if one.per_million and (why := forbidden(pairs.contracts, one) or pairs.sampler.waiting(one)):
                raise ForbiddenError(why)
            shares = f"{one.per_million} in a million, of those again {one.again_per_million}, cap {one.cap_per_hour}"
            detail = f"{one.operation}: {shares}; {request.because}"
            await pairs.record("parity/sample", operator(context), PURPOSE_MIGRATION_TEST, detail)
            pairs.sampler.put(one)
        except ForbiddenError as error:
            await refuse(Fault(Reason.PRECONDITION, str(error)), context)
        except Fault as fault:
            await refuse(fault, context)
        return api.SetSamplingResponse()

    async def GetSampling(self, request: api.GetSamplingRequest, context: Any) -> api.GetSamplingResponse:  # noqa: N802
        """Lists shares and counts; see the contract."""
        samplings = [
            api.Sampling(
                operation=one.operation,
                per_million=one.per_million,
                again_per_million=one.again_per_million,
                cap_per_hour=one.cap_per_hour,
                shadow=one.shadow,
                waiting=self._pairs.sampler.waiting(one),
            )
            for one in self._pairs.sampler.settings
        ]
        return api.GetSamplingResponse(samplings=samplings, counts=self._pairs.counts.said())


def operator(context: Any) -> str:
    """Who asks, `os://…` or `sso://…`. Raises `Fault` CONSUMER_UNKNOWN."""
    stated = str(dict(context.invocation_metadata() or ()).get(OPERATOR_HEADER, ""))
    if not OPERATOR.fullmatch(stated):
        raise Fault(Reason.CONSUMER_UNKNOWN, f"the operator is not named in {OPERATOR_HEADER}")
    return stated


async def refuse(fault: Fault, context: Any) -> None:
    """Ends the call with the fault; always raises."""
    call_id = str(dict(context.invocation_metadata() or ()).get(CALL_ID_HEADER, ""))
    await context.abort_with_status(rpc_status.to_status(status_of(fault, system=HUB_SYSTEM, call_id=call_id)))
