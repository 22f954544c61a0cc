"""Every query that may be compared is answered when the hub asks it: with nobody behind it, for the migration's purpose."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from adapter_rig import running_adapter
from cases import RecordedCase, case_files, case_id, error_info, read_case, request_message

from hub.parity.access import own
from hub.parity.wire import UNADMITTED
from metip.call import CALL_ID_HEADER, CERTIFICATE_HEADER
from metip.grants import PURPOSES_HEADER
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST

HUB = "spiffe://metip.local/hub"
COMPARED = [path for path in case_files() if (case := read_case(path)).case.sample and case.operation.comparable]
ASKED_BY_HUB = [
    (CERTIFICATE_HEADER, f"Hash=00;URI={HUB}"),
    (CALL_ID_HEADER, "0af76519-16cd-43dd-8448-eb211c80319c"),
    (PURPOSES_HEADER, f"{PURPOSE_MIGRATION_TEST}||hub"),
]


def asked(case: RecordedCase) -> bytes:
    """The case's request as a comparison asks it."""
    return own(case.operation, lambda _name: type(request_message(case)), case.case.request.value, "0af76519-16cd-43dd-8448-eb211c80319c")


async def status(channel: grpc.aio.Channel, case: RecordedCase, metadata: list[tuple[str, str]]) -> tuple[grpc.StatusCode, str]:
    """How the call ended, and its reason."""
    kind: Any = channel.unary_stream if case.operation.server_streams else channel.unary_unary
    call = kind(case.operation.path)(asked(case), timeout=10, metadata=metadata)
    try:
        if case.operation.server_streams:
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error_info(error).reason
    return grpc.StatusCode.OK, ""


@pytest.mark.asyncio
@pytest.mark.parametrize("path", COMPARED, ids=case_id)
async def test_an_adapter_answers_the_comparison(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    async with running_adapter(case.system, tmp_path) as rig:
        code, reason = await status(rig.channel, case, ASKED_BY_HUB)
        assert reason not in UNADMITTED
        assert code is not grpc.StatusCode.INTERNAL, reason
        assert [entry.call.officer for entry in rig.entries if case.operation.personal] == [None] * (len(rig.entries))
        if case.operation.personal:
            assert rig.entries, "and it is recorded"


@pytest.mark.asyncio
@pytest.mark.parametrize("path", COMPARED[:1], ids=case_id)
@pytest.mark.parametrize(
    "metadata",
    [
        [*ASKED_BY_HUB[:2], (PURPOSES_HEADER, "*")],
        [*ASKED_BY_HUB[:2], (PURPOSES_HEADER, f"{PURPOSE_MIGRATION_TEST}||consumer/hub")],
        ASKED_BY_HUB[:2],
        [(CERTIFICATE_HEADER, "Hash=00;URI=spiffe://metip.local/consumer/tablet"), *ASKED_BY_HUB[1:]],
    ],
    ids=["every purpose", "another consumer", "no grant", "as another consumer"],
)
async def test_nobody_else_asks_for_that_purpose_or_without_an_officer(path: Path, tmp_path: Path, metadata: Any) -> None:
    case = read_case(path)
    async with running_adapter(case.system, tmp_path) as rig:
        assert (await status(rig.channel, case, metadata))[1] in ("OFFICER_NEEDED", "PURPOSE_NOT_PERMITTED")
        assert rig.entries == []
