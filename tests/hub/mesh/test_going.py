"""Where the calls of an operation go, by the traffic settings alone."""

from directing import CONSUMER, CONTRACTS, FIRST, INTERFACE, OPERATION, OTHER, SECOND

from hub.mesh.going import DRAINED, Going, goings, weights_of
from hub.mesh.inputs import Instance, Traffic
from hub.mesh.resting import UNWEIGHED, weighing_of
from hub.mesh.steering import CallLimit, Drain, FaultInjection, Maintenance, Pin, Versions

CONTRACT = CONTRACTS.interface(INTERFACE)
HALVES = ((INTERFACE, ((FIRST, 50), (SECOND, 50))),)


def going(traffic: Traffic, consumer: str = "") -> Going:
    """The one of a consumer."""
    found = {one.consumer: one for one in goings(CONTRACTS, CONTRACT, OPERATION, traffic)}
    return found.get(consumer, found[""])


def shares(traffic: Traffic, consumer: str = "") -> dict[str, int]:
    """System and weight of the two; further systems behind the interface have none."""
    found = {system: weight for system, _, weight in going(traffic, consumer).shares}
    assert not any(weight for system, weight in found.items() if system not in (FIRST, SECOND))
    return {system: weight for system, weight in found.items() if system in (FIRST, SECOND)}


def test_nobody_has_a_going_of_their_own_until_somebody_says_so() -> None:
    assert [one.consumer for one in goings(CONTRACTS, CONTRACT, OPERATION, Traffic())] == [""]
    assert shares(Traffic()) == {FIRST: 100, SECOND: 0}


def test_a_pin_goes_before_shares_and_everybody_else_comes_last() -> None:
    traffic = Traffic(HALVES, pins=(Pin(INTERFACE, CONSUMER, SECOND),))
    assert [one.consumer for one in goings(CONTRACTS, CONTRACT, OPERATION, traffic)] == [CONSUMER, ""]
    assert going(traffic, CONSUMER).pinned == (SECOND, f"{SECOND}/{INTERFACE}")
    assert going(traffic, OTHER).pinned is None


def test_a_pin_to_a_system_that_does_not_serve_the_operation_says_nothing_of_it() -> None:
    assert going(Traffic(pins=(Pin(INTERFACE, CONSUMER, "elsewhere"),)), CONSUMER).pinned is None


def test_a_consumer_goes_before_an_operation_and_that_before_its_interface() -> None:
    wide, close = FaultInjection(INTERFACE, abort_percent=1), FaultInjection(OPERATION.name, abort_percent=2)
    mine, mine_close = FaultInjection(INTERFACE, CONSUMER, abort_percent=3), FaultInjection(OPERATION.name, CONSUMER, abort_percent=4)
    assert going(Traffic(faults=(wide,))).fault == wide
    assert going(Traffic(faults=(wide, close))).fault == close
    assert going(Traffic(faults=(wide, close, mine)), CONSUMER).fault == mine
    assert going(Traffic(faults=(wide, close, mine, mine_close)), CONSUMER).fault == mine_close
    assert going(Traffic(faults=(wide, close, mine, mine_close)), OTHER).fault == close
    closed = Maintenance(OPERATION.name, "closed")
    assert going(Traffic(maintenance=(Maintenance(INTERFACE, "all closed"), closed))).answer == closed


def test_a_drained_system_leaves_its_calls_to_those_with_a_share_and_to_nobody_else() -> None:
    drained = Traffic(HALVES, drains=(Drain(FIRST, text="moves house"),))
    assert shares(drained) == {FIRST: 0, SECOND: 50}
    assert going(drained).answer is None
    alone = going(Traffic(drains=(Drain(FIRST, text="moves house"),)))
    assert alone.answer is not None
    assert alone.answer.text == "moves house"
    both = going(Traffic(HALVES, drains=(Drain(FIRST), Drain(SECOND))))
    assert both.answer is not None
    assert both.answer.text == DRAINED
    pinned = going(Traffic(HALVES, pins=(Pin(INTERFACE, CONSUMER, FIRST),), drains=(Drain(FIRST),)), CONSUMER)
    assert pinned.answer is not None


def test_a_drained_instance_takes_no_share_away() -> None:
    assert shares(Traffic(HALVES, drains=(Drain(FIRST, "one"),))) == {FIRST: 50, SECOND: 50}
    assert [weight for _, _, weight in weights_of(CONTRACTS, CONTRACT, Traffic(HALVES))] == [
        50,
        50,
        *[0] * (len(CONTRACTS.back_ends_of(INTERFACE)) - 1),
    ]


def test_only_calls_of_a_limited_interface_are_counted() -> None:
    assert going(Traffic(limits=(CallLimit(INTERFACE, 5),))).limited
    assert not going(Traffic(limits=(CallLimit("metip.none.v1.NoService", 5),))).limited


def instance(name: str, version: str) -> Instance:
    """One of the first system."""
    return Instance(name, FIRST, (INTERFACE,), f"unix:/{name}", version)


def test_versions_get_their_shares_however_many_instances_each_has() -> None:
    here = (instance("a", "1"), instance("b", "2"), instance("c", "2"), instance("d", "3"))
    found = weighing_of(tuple(one.address for one in here), here, Traffic(versions=(Versions(FIRST, (("1", 10), ("2", 90))),)))
    assert dict(found.weights) == {"unix:/a": 20, "unix:/b": 90, "unix:/c": 90}
    assert found.resting == ("unix:/d",)


def test_where_no_version_has_a_share_everybody_serves() -> None:
    here = (instance("a", "1"),)
    found = weighing_of(("unix:/a",), here, Traffic(versions=(Versions(FIRST, (("2", 90),)),)))
    assert (found.weights, found.resting) == ((), ())
    assert weighing_of(("unix:/a",), here, Traffic()) == UNWEIGHED
