"""What a day's report says of accounts, backlog and memory, and what it takes for a day to have come off well."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from hub.cli.day.accounts import ENTRIES, Account, Backlog, Cause, percentile
from hub.cli.day.plan import traffic
from hub.cli.day.player import Tally
from hub.cli.day.report import GROWTH, Memory, Report
from hub.cli.day.showing import show
from hub.cli.messages import installed

LINE = next(one for one in traffic(installed()) if one.in_turn and one.operation.delivery is not None)
OPERATION = LINE.operation.name
NAME, OTHER = f"one:{OPERATION}", f"other:{OPERATION}"
MIB = 2**20


def account(**entries: int) -> Account:
    return Account({name: entries.get(name, 0) for name in ENTRIES})


def report(**after: Account) -> Report:
    """Ten messages were accepted from us, after five that somebody else sent before."""
    tally = Tally(LINE, due=10, ends=Counter(OK=10), took=[0.01] * 10)
    accounts = {f"{system}:{OPERATION}": one for system, one in after.items()}
    return Report(3600, 60, [tally], {NAME: account(delivered=4, parked=1)}, accounts)


def test_a_message_stands_in_one_entry_of_the_account_of_each_subscription() -> None:
    assert list(ENTRIES) == ["delivered", "refused", "parked", "in_doubt", "pending"]
    found = report(one=account(delivered=10, parked=4, refused=1))
    assert found.accounts[NAME] == account(delivered=6, parked=3, refused=1)
    assert (found.accepted[OPERATION], found.lost, found.pending, found.well) == (10, 0, 0, True)


def test_of_several_that_share_a_post_one_is_given_each_message() -> None:
    found = replace(report(one=account(delivered=10)), posts={OTHER: NAME})
    found.after = {NAME: account(delivered=7, parked=1), OTHER: account(delivered=7)}
    assert (found.accepted[OPERATION], found.accepted_of(NAME), found.accepted_of(OTHER)) == (10, 3, 7)
    assert (found.lost_of(NAME), found.lost_of(OTHER), found.lost) == (0, 0, 0)
    found.after = {NAME: account(delivered=4, parked=1), OTHER: account(delivered=7)}
    assert (found.lost_of(NAME), found.lost_of(OTHER), found.well) == (3, 0, False)


def test_what_was_pending_before_is_accounted_for_and_hides_no_loss() -> None:
    found = replace(report(one=account(delivered=18)), before={NAME: account(delivered=4, parked=1, pending=3)})
    found.after = {NAME: account(delivered=15, parked=1, pending=2)}
    one = found.accounts[NAME]
    assert (found.accepted_of(NAME), dict(one.entries), one.brought) == (13, {**account(delivered=11).entries, "pending": 2}, 3)
    assert found.lost_of(NAME) == 0
    found.after = {NAME: account(delivered=16, parked=1)}
    assert found.lost_of(NAME) == found.accepted_of(NAME) - sum(found.accounts[NAME].entries.values()) == 1


@pytest.mark.parametrize("fewer", [1, 10])
def test_a_message_that_was_accepted_and_is_in_no_account_is_lost(fewer: int) -> None:
    found = report(one=account(delivered=15 - fewer))
    assert (found.lost_of(NAME), found.lost, found.well) == (fewer, fewer, False)


def test_a_message_that_one_subscription_was_given_and_another_was_not_is_lost() -> None:
    found = report(one=account(delivered=15), other=account(delivered=8))
    assert (found.lost_of(NAME), found.lost_of(OTHER)) == (0, 2)


def test_what_is_pending_or_failed_spoils_a_day_and_what_is_parked_is_shown_with_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    assert not report(one=account(delivered=14, pending=1)).well
    found = report(one=account(delivered=10, parked=5))
    found.waiting[Cause(NAME, "parked", "FAILED_PRECONDITION", "PRECONDITION")] = 4
    assert found.well
    show(found)
    lines = capsys.readouterr().out.splitlines()
    assert any("parked" in one and "PRECONDITION" in one and one.rstrip().endswith("4") for one in lines)
    found.tallies[0].ends["UNAVAILABLE"] = 1
    assert (found.failed, found.well) == (1, False)


def test_memory_is_flat_within_its_bound_from_the_middle_to_the_end() -> None:
    found = report(one=account(delivered=15))
    flat = Memory(50 * MIB, 100 * MIB, int(100 * MIB * (1 + GROWTH)))
    assert replace(found, memory={"hub": flat}).well
    grown = replace(found, memory={"hub": flat, "envoy": replace(flat, end=flat.end + MIB)})
    assert (grown.flat, grown.well) == (False, False)
    assert grown.document()["memory_bytes"]["envoy"]["flat"] is False


def test_a_process_that_was_started_again_spoils_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    found = replace(report(one=account(delivered=15)), restarted=["envoy"])
    show(found)
    assert not found.well
    assert "envoy ended on the way" in capsys.readouterr().out


def test_a_backlog_is_the_most_that_was_seen_and_the_longest_wait() -> None:
    seen = Backlog()
    for number, oldest in ((3, 1.5), (9, 0.5), (0, 7.0)):
        seen.saw({NAME: replace(account(pending=number), oldest=oldest)})
    assert (seen.most[NAME], seen.longest[NAME]) == (9, 1.5)


def test_the_json_has_throughput_latency_and_backlog_of_each_interface() -> None:
    found = report(one=account(delivered=15))
    found.delays = {NAME: [0.1, 0.2, 0.4]}
    document = json.loads(json.dumps(found.document()))
    (line,) = document["traffic"]
    assert (line["a_second"], line["milliseconds"]) == (0.17, {"p50": 10.0, "p99": 10.0})
    one = document["subscriptions"][NAME]
    assert one["accepted"] == sum(one[entry] for entry in ENTRIES) == 10
    assert (one["lost"], one["milliseconds"], one["backlog"]) == (0, {"p50": 200.0, "p99": 400.0}, {"most": 0, "longest_seconds": 0.0})


def test_a_percentile_of_nothing_is_nothing() -> None:
    assert (percentile([], 0.5), percentile([1.0, 2.0], 0.5), percentile([1.0], 0.99)) == (0.0, 2.0, 1.0)
