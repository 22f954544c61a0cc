"""Services from a table: each operation takes and gives what its contract says, and a name that no contract has is found at once."""

from typing import Any

import pytest

from adapters.kit import Call
from adapters.kit.tabled import served
from metip.hub.v1.catalogue_service_pb2 import ListInterfacesRequest, ListInterfacesResponse

CATALOGUE = "metip.hub.v1.CatalogueService"
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def handle(request: Any, response: Any, call: Call) -> Any:
    """Gives what it was given."""
    return response


async def test_operations_of_one_interface_are_one_servicer() -> None:
    (servicer,) = served([(CATALOGUE, "ListInterfaces", handle)])
    found: Any = servicer
    assert (found.interface, type(found).__name__) == (CATALOGUE, "CatalogueService")
    assert found.ListInterfaces.__annotations__["request"] is ListInterfacesRequest
    reply = await found.ListInterfaces(ListInterfacesRequest(), Call("c", "o", "", None, 0.0))
    assert reply == ListInterfacesResponse()


@pytest.mark.parametrize(
    ("interface", "operation", "error"), [("metip.hub.v1.NoService", "List", ImportError), (CATALOGUE, "NoSuchOperation", KeyError)]
)
async def test_a_name_that_no_contract_has_is_refused(interface: str, operation: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        served([(interface, operation, handle)])
