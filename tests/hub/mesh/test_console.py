"""The table of the console's door, held against the contracts: nothing that the hub serves is there, or left out, by accident."""

from datetime import date

import pytest

from hub.contracts import Contracts, load
from hub.mesh.console import NOT_FOR_BROWSERS, SERVICES, routed
from hub.mesh.inputs import HUB_SYSTEM

FOR_MACHINES = {
    "metip.exchange.v1.SubscriberService": "adapters say what came of a message",
    "metip.hub.v1.RegistryService": "adapters register",
    "metip.ledger.v1.ActionService": "a command line says what it is about to do, and does it itself",
    "metip.ledger.v1.WitnessService": "the ledger asks its witness, which is another process",
    "metip.parity.v1.TapService": "adapters offer what they answered",
    "metip.simulator.v1.SimulatorService": "a simulator's own dials, for tests and demos",
}
"""Services that no route leads to, with what calls them."""


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    """The installed contracts."""
    return load(date.min)


def test_every_service_of_the_platform_is_either_for_operators_or_for_machines(contracts: Contracts) -> None:
    own = {one.name for one in contracts.interfaces if one.private or one.system in (HUB_SYSTEM, "exchange")}
    assert own - set(SERVICES) == set(FOR_MACHINES)
    assert set(SERVICES).isdisjoint(FOR_MACHINES)


def test_the_console_reaches_no_service_of_a_system(contracts: Contracts) -> None:
    for operation in routed(contracts):
        interface = contracts.interface(operation.interface)
        assert interface.private or interface.system in (HUB_SYSTEM, "exchange"), operation.name


def test_what_machines_call_within_an_operators_service_is_left_out(contracts: Contracts) -> None:
    found = {one.name for one in routed(contracts)}
    assert set(contracts.operations) >= NOT_FOR_BROWSERS, "each names an operation that there is"
    assert found.isdisjoint(NOT_FOR_BROWSERS)
    assert not any(one.client_streams for one in routed(contracts)), "no browser can stream its requests"
