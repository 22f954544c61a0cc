"""Faults on purpose, as Envoy carries them out: by the traffic settings, or by hand through runtime keys, which go before them.

Every route has the filter, so that operators can hold calls back, or end them, with nothing but Envoy's admin interface. Of a target that
is an interface the keys are `fault.delay.<interface>` and `fault.abort.<interface>` in per cent, `fault.delay_ms.<interface>`, and
`fault.status.<interface>`, a number of gRPC; of a fault that the settings name, the same with its own target, and `@` and the consumer.
"""

from functools import lru_cache
from typing import Final

from google.rpc import code_pb2

from hub.mesh.steering import FaultInjection
from hub.mesh.types import Any, fault, fault_delay, packed, percent, seconds

FAULT: Final = "envoy.filters.http.fault"
UNAVAILABLE: Final = "UNAVAILABLE"
A_MOMENT: Final = 0.1
"""Seconds of a delay by hand of which nobody said how long."""
MILLION: Final = percent.FractionalPercentDenominatorType.MILLION


def fault_keys(said: FaultInjection) -> dict[str, str]:
    """Envoy's runtime keys of a fault, by what they set: `delay`, `abort`, `delay_ms` and `status`."""
    name = said.target + (f"@{said.consumer.partition('://')[2].partition('/')[2]}" if said.consumer else "")
    return {what: f"fault.{what}.{name}" for what in ("delay", "abort", "delay_ms", "status")}


@lru_cache(maxsize=4096)
def fault_of(said: FaultInjection) -> Any:
    """The filter's settings for one route; nothing happens where both shares are 0."""
    keys = fault_keys(said)
    return packed(
        fault.HttpFault(
            delay=fault_delay.FaultDelay(fixed_delay=seconds(said.delay or A_MOMENT), percentage=_percent(said.delay_percent)),
            abort=fault.FaultAbort(grpc_status=code_pb2.Code.Value(said.abort or UNAVAILABLE), percentage=_percent(said.abort_percent)),
            delay_percent_runtime=keys["delay"],
            abort_percent_runtime=keys["abort"],
            delay_duration_runtime=keys["delay_ms"],
            abort_grpc_status_runtime=keys["status"],
            # A counter for each consumer would be one more name of Envoy's that comes from outside.
            disable_downstream_cluster_stats=True,
        )
    )


def _percent(share: float) -> percent.FractionalPercent:
    return percent.FractionalPercent(numerator=round(share * 10_000), denominator=MILLION)
