"""The simulated enquiry service on its own wire: status, body and words as the published description has them, vehicles as the PNC's."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from adapters.ivma.simulator import DIALS, Simulator
from adapters.kit.population import Population
from adapters.kit.population.registered import registered
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial

pytestmark = pytest.mark.asyncio(loop_scope="module")
PEOPLE = Population(2026)
PATH = "/vehicle-enquiry/v1/vehicles"


class Client:
    """A client of the service as anybody could write it."""

    def __init__(self, address: str, dials: Dials) -> None:
        self._address, self.dials = address, dials

    async def ask(self, body: Any, *, path: str = PATH, method: str = "POST") -> tuple[int, Any, str]:
        """HTTP status, document, `Retry-After`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with aiohttp.ClientSession() as session, session.request(method, self._address + path, data=data) as answer:
            return answer.status, json.loads(await answer.read()), answer.headers.get("Retry-After", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> AsyncIterator[Client]:
    dials = Dials(DIALS, seed=1)
    simulator = Simulator(PEOPLE, dials)
    async with simulator.transport.listening("127.0.0.1", 0, dials) as address:
        yield Client(address, dials)


@pytest.fixture(autouse=True)
def _dials_back(service: Client) -> Any:
    yield
    service.dials.clear()


async def test_a_vehicle_has_the_published_fields_and_no_keeper(service: Client) -> None:
    status, said, _ = await service.ask({"registrationNumber": "UJ50DNP"})
    assert status == 200
    assert (said["registrationNumber"], said["make"], said["colour"], said["taxStatus"]) == ("UJ50DNP", "FORD", "WHITE", "Taxed")
    assert said["motExpiryDate"] == "2027-03-24"
    assert {"dateOfLastV5CIssued", "markedForExport", "typeApproval", "monthOfFirstRegistration", "co2Emissions"} <= set(said)
    assert not any("keeper" in name.lower() for name in said)


ERRORS: dict[str, tuple[str, Any, int, Any]] = {
    "an unknown vehicle": ("", {"registrationNumber": "ZZ00ZZZ"}, 404, "Vehicle Not Found"),
    "no mark": ("", {"registrationNumber": "NO MARK"}, 400, "Bad Request"),
    "another body": ("", {}, 400, "Bad Request"),
    "no JSON": ("", b"<xml/>", 400, "Bad Request"),
    "system_error": ("system_error", {"registrationNumber": "UJ50DNP"}, 500, "Internal Server Error"),
    "maintenance": ("maintenance", {"registrationNumber": "UJ50DNP"}, 503, "System currently down for maintenance"),
}


@pytest.mark.parametrize(("dial", "body", "status", "title"), ERRORS.values(), ids=ERRORS)
async def test_an_error_is_a_list_of_problems(service: Client, dial: str, body: Any, status: int, title: str) -> None:
    if dial:
        service.dials.set([Dial(dial)])
    came, said, _ = await service.ask(body)
    assert (came, [one["title"] for one in said["errors"]]) == (status, [title])


async def test_the_gateway_refuses_in_its_own_words(service: Client) -> None:
    assert await service.ask({}, path="/vehicles") == (403, {"message": "Missing Authentication Token"}, "")
    service.dials.set([Dial("key_refused")])
    assert await service.ask({"registrationNumber": "UJ50DNP"}) == (403, {"message": "Forbidden"}, "")
    service.dials.clear()
    service.dials.set([Dial("limit", "7")])
    assert await service.ask({"registrationNumber": "UJ50DNP"}) == (429, {"message": "Too Many Requests"}, "7")


async def test_every_vehicle_of_the_population_is_there_and_tells_what_the_pnc_tells(service: Client) -> None:
    some = [PEOPLE.vehicle_numbered(number) for number in range(1, 400, 17)]
    answers = await asyncio.gather(*(service.ask({"registrationNumber": one.vrm}) for one in some))
    for held, (status, said, _) in zip(some, answers, strict=True):
        assert (status, said["make"], said["colour"]) == (200, held.make, held.colour)
        assert (said["taxStatus"] == "Taxed") == held.taxed
        assert ("motExpiryDate" in said) == (held.mot_expiry is not None)


async def test_the_registers_entries_are_drawn_apart_from_all_others_and_are_the_same_each_time() -> None:
    entries = [registered(PEOPLE, one) for one in PEOPLE.vehicles()[:300]]
    assert entries == [registered(Population(2026), one) for one in PEOPLE.vehicles()[:300]]
    assert {one.fuel for one in entries} >= {"PETROL", "DIESEL", "ELECTRICITY"}
    assert all((one.engine_cc == 0) == (one.fuel == "ELECTRICITY") for one in entries)
