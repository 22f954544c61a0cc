"""Who approved a step forward: another person than its author, by name or, where the hub's settings demand it, by two signatures.

The signatures are those of `hub.access.approving`, over the step instead of a policy, and bound to how many steps the interface had, so
that an approval serves once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.access import approving
from metip.migration.v1 import migration_service_pb2 as api

CONTEXT: Final = "metip-migration-step/1"


@dataclass(frozen=True)
class Signed:
    """Author and approver of a step, and what is wrong with their approval."""

    author: str
    approver: str
    signed: bool
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Approvals:
    """What the hub's settings demand."""

    required: bool = False
    keys: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)

    def judge(self, request: api.TakeStepRequest | api.PinConsumerRequest, author: str, number: int) -> Signed:
        """Who stands behind a request; `author` asks for it, and `number` is the next step of its interface."""
        if not request.HasField("approval"):
            missing = ("it needs the signatures of its author and of an approver",) if self.required else ()
            return Signed(author, request.approver, signed=False, faults=missing)
        approval = request.approval
        faults = list(approving.faults_of(approval, content_of(request), self.keys))
        if approval.number != number:
            faults.append(f"it was signed as step {approval.number} of the interface, and the next one is {number}")
        return Signed(approval.author.name, approval.approver.name, signed=True, faults=tuple(faults))


def content_of(request: Any) -> bytes:
    """What author and approver sign: everything that the step does and why."""
    if isinstance(request, api.PinConsumerRequest):
        said: list[Any] = ["pin", request.interface, request.consumer, request.platform, request.because]
    else:
        when = request.at.ToJsonString() if request.HasField("at") else ""
        lasting = request.lasting.ToJsonString() if request.HasField("lasting") else ""
        said = ["step", request.interface, request.to.state, request.to.percent, request.because, request.attested]
        said += [request.override, when, lasting]
    return json.dumps([CONTEXT, *said]).encode()
