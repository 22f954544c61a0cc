"""Times, ages, ids, states and short names as operators type them."""

from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner
from google.protobuf.timestamp_pb2 import Timestamp

from hub.cli.exchange.asking import reason_option
from hub.cli.exchange.moments import age, moment, written
from hub.cli.exchange.names import MessageId, StateName, operation_named, short, shortened, subscription_named
from hub.cli.options import Problem
from hub.exchange.life import State

NOW = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)

MOMENTS = [
    pytest.param("2h", "2026-11-23T08:15:30+00:00", id="hours"),
    pytest.param("90m", "2026-11-23T08:45:30+00:00", id="minutes"),
    pytest.param("1.5d", "2026-11-21T22:15:30+00:00", id="days"),
    pytest.param("1w", "2026-11-16T10:15:30+00:00", id="weeks"),
    pytest.param("1y", "2025-11-23T10:15:30+00:00", id="years"),
    pytest.param("09:05", "2026-11-23T09:05:00+00:00", id="clock"),
    pytest.param("2026-11-22", "2026-11-22T00:00:00+00:00", id="date"),
    pytest.param("2026-11-22T07:08", "2026-11-22T07:08:00+00:00", id="time"),
    pytest.param("2026-11-22 07:08:09", "2026-11-22T07:08:09+00:00", id="time-with-space"),
    pytest.param("2026-07-01T09:00+01:00", "2026-07-01T08:00:00+00:00", id="zone"),
    pytest.param("2026-11-22T07:08:09Z", "2026-11-22T07:08:09+00:00", id="zulu"),
]


@pytest.mark.parametrize(("typed", "meant"), MOMENTS)
def test_a_time_or_an_age_is_read_as_it_is_meant(typed: str, meant: str) -> None:
    assert moment(typed, NOW) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("typed", ["", "2x", "h", "-2h", "25:00", "10:60", "yesterday", "2026-13-01", "999999w"])
def test_what_is_no_time_and_no_age_is_refused(typed: str) -> None:
    assert moment(typed, NOW) is None


def test_times_are_written_in_utc_and_nothing_is_written_of_one_that_is_not_set() -> None:
    stamp = Timestamp()
    stamp.FromDatetime(datetime(2026, 11, 23, 8, 15, 30, 123456, tzinfo=UTC))
    assert (written(stamp), written(stamp, precisely=True)) == ("2026-11-23 08:15:30", "2026-11-23 08:15:30.123")
    assert age(stamp, NOW) == "2 h 0 min"
    assert (written(Timestamp()), age(Timestamp(), NOW)) == ("", "")


ONE, TWO = "far:metip.example.v1.ExampleMessageService/PublishExample", "near:metip.example.v1.ExampleMessageService/PublishExample"
OTHER = "near:metip.other.v1.OtherService/PublishOther"
NAMES = (ONE, TWO, OTHER)

SUBSCRIPTIONS = [
    pytest.param(ONE, ONE, id="full"),
    pytest.param("far", ONE, id="system"),
    pytest.param("far:PublishExample", ONE, id="short"),
    pytest.param("FAR:examplemessageservice/publishexample", ONE, id="any-case"),
    pytest.param("PublishOther", OTHER, id="operation"),
    pytest.param("OtherService.PublishOther", OTHER, id="service"),
    pytest.param("near:PublishOther", OTHER, id="both"),
    pytest.param(":PublishOther", OTHER, id="no-system"),
    pytest.param("far:", ONE, id="no-operation"),
]


@pytest.mark.parametrize(("typed", "meant"), SUBSCRIPTIONS)
def test_a_subscription_is_known_by_as_much_of_its_name_as_is_unique(typed: str, meant: str) -> None:
    assert subscription_named(typed, NAMES) == meant


REFUSED = [
    pytest.param("near", f"say which: {TWO}, {OTHER}", id="two-of-a-system"),
    pytest.param("PublishExample", f"say which: {ONE}, {TWO}", id="two-of-an-operation"),
    pytest.param("near:PublishOthr", f"did you mean {OTHER} or {TWO}?", id="misspelt"),
    pytest.param("Example", f"there are {ONE}, {TWO}, {OTHER}", id="no-whole-word"),
]


@pytest.mark.parametrize(("typed", "fix"), REFUSED)
def test_a_name_that_is_not_unique_or_nobodys_is_refused_with_those_that_are(typed: str, fix: str) -> None:
    with pytest.raises(Problem) as caught:
        subscription_named(typed, NAMES)
    assert caught.value.fix == fix


def test_where_there_are_no_subscriptions_a_name_is_refused_with_how_to_make_one() -> None:
    with pytest.raises(Problem) as caught:
        subscription_named("far", ())
    assert "subscribes" in caught.value.fix


def test_an_operation_is_known_by_its_end() -> None:
    assert operation_named("PublishExample", NAMES) == "metip.example.v1.ExampleMessageService/PublishExample"
    with pytest.raises(Problem, match="there is no operation with a subscription PublishNothing"):
        operation_named("PublishNothing", NAMES)


def test_names_are_short_unless_two_would_read_alike() -> None:
    alike = "near:metip.other.v2.OtherService/PublishOther"
    assert short(ONE) == "far:PublishExample"
    assert shortened([ONE, ONE, OTHER]) == {ONE: "far:PublishExample", OTHER: "near:PublishOther"}
    assert shortened([OTHER, alike]) == {OTHER: OTHER, alike: alike}


@pytest.mark.parametrize("typed", ["in_doubt", "IN-DOUBT", "in doubt"])
def test_a_state_is_read_however_it_is_spelt(typed: str) -> None:
    assert StateName().convert(typed, None, None) is State.IN_DOUBT


def test_a_state_that_there_is_not_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(click.BadParameter, match="did you mean parked"):
        StateName().convert("prked", None, None)
    with pytest.raises(click.BadParameter, match="there are pending, attempt"):
        StateName().convert("xyz", None, None)


def test_an_id_is_a_uuid_in_full() -> None:
    text = "0197C5A0-0000-8000-8000-00000000002A"
    assert MessageId().convert(text, None, None) == text.lower()
    for wrong in ("", "0197c5a0", text + "0", "{" + text + "}", text.replace("-", "")):
        with pytest.raises(click.BadParameter, match="is no id"):
            MessageId().convert(wrong, None, None)


@pytest.mark.parametrize(("typed", "status"), [("ab", 2), ("  ab  ", 2), ("abc", 0), ("x" * 250, 0), ("x" * 251, 2)])
def test_a_reason_has_the_length_that_the_contract_wants(typed: str, status: int) -> None:
    @click.command()
    @reason_option
    def command(reason: str) -> None:
        click.echo(reason)

    assert CliRunner().invoke(command, ["--reason", typed]).exit_code == status
