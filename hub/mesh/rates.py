"""How often each consumer may call: a bucket for each, by the name in its certificate, or one that the access policy gives it."""

from typing import Final

from hub.mesh.inputs import Limit
from hub.mesh.limits import Limits
from hub.mesh.types import core, local_limit, packed, percent, rate_key, rate_limit, route, seconds

RATE_LIMIT: Final = "envoy.filters.http.local_ratelimit"
UNLIMITED: Final = 4_000_000_000
CONSUMER: Final = "consumer"


def share(limits: Limits, own: tuple[Limit, ...] = ()) -> local_limit.LocalRateLimit:
    """A bucket of calls for each consumer, its own where the policy says so; none for all together."""
    # The generated module has a class of this name, which mypy takes for protobuf's own.
    key = rate_key.Descriptor(descriptor_key=CONSUMER, text="connection.uri_san_peer_certificate")  # type: ignore[call-arg]
    named = core.TypedExtensionConfig(name="envoy.rate_limit_descriptors.expr", typed_config=packed(key))
    always = core.RuntimeFractionalPercent(default_value=percent.FractionalPercent(numerator=100))
    return local_limit.LocalRateLimit(
        stat_prefix="consumer",
        token_bucket=_bucket(UNLIMITED, UNLIMITED),
        filter_enabled=always,
        filter_enforced=always,
        rate_limits=[route.RateLimit(actions=[route.RateLimitAction(extension=named)])],
        descriptors=[
            *(_descriptor(one.consumer, one.rate_per_second, one.burst or one.rate_per_second) for one in own if one.rate_per_second),
            _descriptor("", limits.calls_per_second, limits.burst),
        ],
        max_dynamic_descriptors=limits.consumers,
        rate_limited_as_resource_exhausted=True,
    )


def _descriptor(consumer: str, rate: int, burst: int) -> rate_limit.LocalRateLimitDescriptor:
    """The bucket of one consumer, or of each that has none of its own."""
    entry = rate_limit.RateLimitDescriptorEntry(key=CONSUMER, value=consumer)
    return rate_limit.LocalRateLimitDescriptor(entries=[entry], token_bucket=_bucket(rate, burst))


def _bucket(rate: int, burst: int) -> percent.TokenBucket:
    return percent.TokenBucket(max_tokens=max(rate, burst), tokens_per_fill=rate, fill_interval=seconds(1))
