"""The clock that never goes back, and the keys by which messages are known."""

from hypothesis import given
from hypothesis import strategies as st

from hub.exchange.clock import SteadyClock
from hub.exchange.keys import key_reader
from metip.common.v1.identifiers_pb2 import CustodyNumber
from metip.exchange.v1.exchange_service_pb2 import DeliveryName, RefusedMessage


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-7200, 7200)), max_size=30))
def test_whatever_is_done_to_the_machines_clock_this_one_never_goes_back(steps: list[tuple[float, float]]) -> None:
    wall, steady = [1_800_000_000.0], [0.0]
    clock = SteadyClock(wall=lambda: wall[0], steady=lambda: steady[0])
    before = clock()
    for elapsed, put in steps:
        steady[0] += elapsed
        wall[0] += elapsed + put
        now = clock()
        assert now >= before
        assert now >= wall[0] - 1e-3
        before = now


def test_it_begins_where_the_last_one_ended() -> None:
    clock = SteadyClock(wall=lambda: 1000.0, steady=lambda: 0.0)
    clock.at_least(4600.0)
    assert clock() == 4600.0


def test_the_key_of_an_identifier_is_its_value() -> None:
    class Request:
        custody_record_number = CustodyNumber(value="01ZD/1/26")
        version = 3

    assert key_reader(("custody_record_number", "version"))(Request()) == "01ZD/1/26|3"  # type: ignore[arg-type]


@given(st.text(), st.text(), st.text(), st.text())
def test_different_values_never_make_the_same_key(a: str, b: str, c: str, d: str) -> None:
    read = key_reader(("message_id", "subscription"))
    same = read(DeliveryName(message_id=a, subscription=b)) == read(DeliveryName(message_id=c, subscription=d))
    assert same == ((a, b) == (c, d))


def test_a_key_without_any_value_is_empty() -> None:
    assert key_reader(("place", "status"))(RefusedMessage()) == ""
    assert key_reader(("status",))(RefusedMessage()) == ""
