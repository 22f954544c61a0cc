"""Who may hand over a message for which purpose: the exchange is the one who answers, so it has the last word on the purpose."""

import base64
import json
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
from exchange_in_process import accepting_exchange
from mesh_rig import reason_of

from hub.cli.messages import Messages
from hub.contracts import load
from hub.contracts.samples import samples
from metip.options.v1.options_pb2 import Purpose

pytestmark = pytest.mark.asyncio
CONTRACTS = load(date(2026, 11, 23))
SAMPLE = next(one for one in samples(Messages(CONTRACTS)) if one.operation.delivery is not None and one.operation.personal)
STATED = SAMPLE.request.access.purpose  # type: ignore[attr-defined]  # an operation on personal data has one
ANOTHER = next(number for name, number in Purpose.items() if number and number != STATED)
ENVOY = [("x-forwarded-client-cert", "Hash=0;URI=spiffe://metip.local/consumer/one"), ("x-request-id", "call-1")]
PRODUCERS = {
    "every purpose": ("*", "OK"),
    "that purpose": (f"{STATED}||consumer/one", "OK"),
    "that purpose in the officer's role": (f"{STATED}|sergeant|consumer/one", "OK"),
    "another purpose": (f"{ANOTHER}||consumer/one", "PURPOSE_NOT_PERMITTED"),
    "another role": (f"{STATED}|inspector|consumer/one", "PURPOSE_NOT_PERMITTED"),
    "another producer": (f"{STATED}||consumer/other", "PURPOSE_NOT_PERMITTED"),
    "nothing said": ("", "PURPOSE_NOT_PERMITTED"),
}


@pytest.mark.parametrize(("grants", "expected"), PRODUCERS.values(), ids=PRODUCERS)
async def test_a_message_is_accepted_for_a_purpose_that_its_producer_was_granted(tmp_path: Path, grants: str, expected: str) -> None:
    officer = base64.urlsafe_b64encode(json.dumps({"sub": "P123456", "roles": ["sergeant"]}).encode()).decode().rstrip("=")
    metadata = [*ENVOY, ("x-metip-officer", officer), *([("x-metip-purposes", grants)] if grants else [])]
    async with accepting_exchange(tmp_path, CONTRACTS) as channel:
        call: Any = channel.unary_unary(SAMPLE.operation.path)
        try:
            await call(SAMPLE.request.SerializeToString(), metadata=metadata, timeout=10)
            found = "OK"
        except grpc.aio.AioRpcError as error:
            found = reason_of(error)
    assert found == expected
