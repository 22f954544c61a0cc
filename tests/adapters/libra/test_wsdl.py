"""A SOAP client that was made from the exchange's own description, `spi.wsdl`, hands over a case and asks for results."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zeep

from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.libra import codes
from adapters.libra.simulator import DIALS, Simulator
from adapters.libra.translate import case_record
from adapters.libra.upstream import PATH, Systems, submission
from adapters.libra.wire import decode_text
from tests.adapters.libra.samples import sample_case

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
WSDL = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT) / "cjse" / "wsdl" / "spi.wsdl"
BINDING = "{http://schemas.cjse.gov.uk/endpoint/wsdl/}CJSEBinding"
SYSTEMS = Systems("00101PoliceCaseSystem", "B00LIBRA", "Z00CJSE")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not WSDL.exists(), reason="METIP_REFERENCE_DIR names no folder that holds cjse/wsdl/spi.wsdl")


def client(address: str) -> Any:
    """The client's two operations."""
    make: Any = zeep.Client
    return make(str(WSDL)).create_service(BINDING, f"{address}{PATH}")


def submitted(service: Any, message_id: str) -> Any:
    asked = submission(case_record(sample_case()), message_id, SYSTEMS, NOW)
    return service.submit(
        RequestID=asked.request_id,
        SourceID=asked.source_id,
        DestinationID=list(asked.destination_ids),
        ExecMode=asked.mode,
        Timestamp=NOW,
        Message=asked.message,
    )


@pytest.mark.asyncio
async def test_submit_and_retrieve_pass_a_client_made_from_the_wsdl() -> None:
    simulator = Simulator(Population(2026, 300, addresses=150, arrests=60), Dials(DIALS, seed=1))
    dials = simulator._dials
    dials.set([Dial("undelivered")])
    async with simulator.transport.listening("127.0.0.1", 0, dials) as address:
        service = await asyncio.to_thread(client, address)
        first = await asyncio.to_thread(submitted, service, "message-1")
        assert (first.RequestID, first.ResponseCode) == ("message-1", codes.SUCCESS)
        assert (await asyncio.to_thread(submitted, service, "message-1")).ResponseCode == codes.PREVIOUSLY_SENT
        dials.set([Dial("code", "201", times=1)])
        assert (await asyncio.to_thread(submitted, service, "message-2")).ResponseCode == 201
        await asyncio.sleep(0.3)
        since = {"TimeFrom": datetime.now(UTC) - timedelta(minutes=5)}
        told = await asyncio.to_thread(lambda: service.retrieve(RequestID="retrieve-1", SourceID=SYSTEMS.force, Filter=since))
    assert (told.RequestID, told.ResponseCode) == ("retrieve-1", codes.SUCCESS)
    kinds = [type(decode_text(str(message))).__name__ for message in told.Message]
    assert len(kinds) >= 2, "the court's answer, and its result"
