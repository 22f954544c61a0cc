"""From the policy's file to the policy, with every problem at once and its place.

Two kinds of problems. A *fault* makes the file unusable: it is ambiguous, speaks of another trust domain, or says more than Envoy can pass
on. What is *idle* grants nothing, since nothing that is loaded has that name or permits that purpose; it is told, and the rest is in force,
because a contract may be away for a while (its assessment is overdue) without anybody's other access ending with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.contracts import Contracts, matching
from hub.mesh.grants import rights_of, text_of
from hub.mesh.inputs import Grant, Limit, Policy
from metip.grants import LONGEST
from metip.hub.v1 import settings_pb2
from metip.options.v1.options_pb2 import Purpose
from metip.settings import SettingsError, parse_settings

PREFIX: Final = "PURPOSE_"


@dataclass(frozen=True)
class Read:
    """A policy that can be used."""

    policy: Policy
    idle: tuple[str, ...] = ()
    """What grants nothing, each with its place."""


def content_of(path: Path) -> bytes:
    """The file's bytes. Raises `SettingsError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(str(path), (f"can't be read: {error.strerror}",)) from None


def read(content: bytes, contracts: Contracts, trust_domain: str, *, source: str) -> Read:
    """Reads a policy. Raises `SettingsError` with every fault."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise SettingsError(source, ("is not UTF-8 text",)) from None
    policy = policy_of(parse_settings(text, settings_pb2.AccessPolicy, source=source))
    faults = tuple(faults_of(policy, contracts, trust_domain))
    if faults:
        raise SettingsError(source, faults)
    return Read(policy, tuple(idle_of(policy, contracts)))


def policy_of(message: settings_pb2.AccessPolicy) -> Policy:
    """The policy that a message says."""
    grants = (
        Grant(
            one.consumer,
            tuple(one.operations),
            tuple(Purpose.Name(purpose).removeprefix(PREFIX) for purpose in one.purposes),
            tuple(one.roles),
            one.name,
        )
        for one in message.grants
    )
    limits = (Limit(one.consumer, one.rate_per_second, one.burst) for one in message.limits)
    return Policy(tuple(grants), tuple(limits))


def message_of(policy: Policy) -> settings_pb2.AccessPolicy:
    """The message that says a policy."""
    return settings_pb2.AccessPolicy(
        grants=[
            settings_pb2.Grant(
                consumer=one.consumer,
                operations=one.operations,
                purposes=[Purpose.Value(f"{PREFIX}{purpose}") for purpose in one.purposes],
                roles=one.roles,
                name=one.name,
            )
            for one in policy.grants
        ],
        limits=[
            settings_pb2.ConsumerLimit(consumer=one.consumer, rate_per_second=one.rate_per_second, burst=one.burst) for one in policy.limits
        ],
    )


def faults_of(policy: Policy, contracts: Contracts, trust_domain: str) -> Iterator[str]:
    """Why a policy can't be used."""
    inside = f"spiffe://{trust_domain}/"
    consumers = {"grants": [one.consumer for one in policy.grants], "limits": [one.consumer for one in policy.limits]}
    for what, named in consumers.items():
        for place, consumer in enumerate(named):
            if not consumer.startswith(inside):
                yield f"{what}[{place}].consumer: {consumer} is not in the trust domain {trust_domain}, so nobody can ever show it"
    names: dict[str, int] = {}
    for place, grant in enumerate(policy.grants):
        if grant.name and names.setdefault(grant.name, place) != place:
            yield f"grants[{place}].name: {grant.name} is the name of grants[{names[grant.name]}] too"
    limited: dict[str, int] = {}
    for place, limit in enumerate(policy.limits):
        if limited.setdefault(limit.consumer, place) != place:
            yield f"limits[{place}].consumer: limits[{limited[limit.consumer]}] limits it too"
    for name, rights in rights_of(contracts, policy, trust_domain).items():
        length = len(text_of(rights))
        if length > LONGEST:
            yield f"grants: what they say of {name} takes {length} bytes of each call, and {LONGEST} are allowed; give purposes to fewer"


def idle_of(policy: Policy, contracts: Contracts) -> Iterator[str]:
    """What of a policy grants nothing."""
    for place, grant in enumerate(policy.grants):
        permitted: set[str] = set()
        for number, pattern in enumerate(grant.operations):
            found = matching(pattern, contracts)
            permitted |= {purpose for operation in found for purpose in operation.purposes}
            if not found:
                yield f"grants[{place}].operations[{number}]: {pattern} is nothing that is loaded"
        for number, purpose in enumerate(grant.purposes):
            if purpose not in permitted:
                yield f"grants[{place}].purposes[{number}]: {PREFIX}{purpose} is permitted by none of its operations"
