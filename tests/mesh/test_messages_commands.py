"""`metip messages` against a real hub, Envoy and subscriber (see `exchange_rig`): what an operator finds, follows, steers and replays.

Each test has messages of its own, told apart by the first letters of their ids.
"""

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from command_line import Done, metip
from exchange_rig import ExchangeRig, running_exchange

from hub.cli.refusals import refusal_of
from hub.exchange.sqlite.looking import message
from hub.exchange.sqlite.store import Store
from metip.exchange.v1.exchange_service_pb2 import WatchRequest
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROBE, ONCE = "PublishProbe", "PublishOnce"
NOBODYS = "0197c5a0-0000-8000-8000-00000000002a"
WHY = ("--reason", "a test decides")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ExchangeRig]:
    """One exchange for all tests here."""
    async with running_exchange(tmp_path_factory.mktemp("m")) as found:
        yield found


async def run(rig: ExchangeRig, *arguments: str) -> Done:
    return await metip(rig.home.root, "messages", *arguments)


async def publish(rig: ExchangeRig, probe_id: str, line: str = "", operation: str = PROBE) -> str:
    """One message; its id."""
    contracts = str(rig.home.root / "contracts.binpb")
    done = await run(rig, "publish", operation, f"id={probe_id}", f"line={line}", "--contracts", contracts, "--json")
    assert done.code == 0, done.err
    return str(done.json["message_id"])


async def bulk(rig: ExchangeRig, path: Path, *lines: str, operation: str = PROBE) -> Done:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return await run(rig, "publish", operation, "--file", str(path), "--contracts", str(rig.home.root / "contracts.binpb"), "--json")


async def parked(rig: ExchangeRig, probe_id: str, operation: str = PROBE) -> str:
    """A message that the subscriber refused, so that it waits for a person."""
    rig.mode(f"poison {probe_id}")
    message_id = await publish(rig, probe_id, operation=operation)
    assert (await run(rig, "watch", message_id)).code == 1
    rig.mode("")
    return message_id


async def standing(rig: ExchangeRig, message_id: str) -> str:
    """The state of a message's one delivery."""
    (found,) = (await run(rig, "track", message_id, "--json")).json["deliveries"]
    return str(found["state"])


async def ended(rig: ExchangeRig, message_id: str) -> str:
    """The state in which a message ends."""
    done = await run(rig, "watch", message_id, "--deadline", "20s", "--json")
    assert done.documents, done.err
    return str(done.documents[-1]["deliveries"][0]["state"])


async def found(rig: ExchangeRig, *arguments: str) -> list[dict[str, Any]]:
    done = await run(rig, "list", *arguments, "--json")
    assert done.code == 0, done.err
    deliveries: list[dict[str, Any]] = done.json["deliveries"]
    return deliveries


async def test_a_message_is_published_watched_tracked_and_shown(rig: ExchangeRig) -> None:
    message_id = await publish(rig, "a1", "line")
    watched = await run(rig, "watch", message_id)
    assert (watched.code, "processed" in watched.out) == (0, True), watched.err
    tracked = await run(rig, "track", message_id)
    assert tracked.code == 0
    assert "✓ processed  probe:PublishProbe  1 attempt" in tracked.out
    shown = await run(rig, "show", message_id, "--why", "a test looks")
    assert shown.code == 0, shown.err
    assert "producer   spiffe://metip.local/consumer/developer" in shown.out
    assert '"id": "a1"' in shown.out
    assert "attempt 1" in shown.out
    document = (await run(rig, "show", message_id, "--json")).json
    assert [one["state"] for one in document["steps"]] == ["processed"]


async def test_the_same_message_again_is_told_as_a_duplicate(rig: ExchangeRig) -> None:
    message_id = await publish(rig, "b1")
    contracts = str(rig.home.root / "contracts.binpb")
    done = await run(rig, "publish", PROBE, "id=b1", "--contracts", contracts)
    assert (done.code, f"accepted before as {message_id}" in done.out) == (0, True)


async def test_a_file_is_handed_over_and_what_is_wrong_is_told_by_line(rig: ExchangeRig, tmp_path: Path) -> None:
    done = await bulk(rig, tmp_path / "f", '{"id": "c1"}', '{"id": ""}', "nonsense", '{"id": "c1"}', '{"id": "c2"}')
    assert done.code == 1
    document = done.json
    assert (document["accepted"], document["duplicates"]) == (3, 1)
    assert [(one["line"], one["reason"]) for one in document["refused"]] == [(2, "INVALID_REQUEST"), (3, "MALFORMED")]
    text = await run(rig, "publish", PROBE, "--file", str(tmp_path / "f"), "--contracts", str(rig.home.root / "contracts.binpb"))
    assert (text.code, "accepted: 3 messages, 3 of them known from before" in text.out) == (1, True)
    assert "line 3: INVALID_ARGUMENT MALFORMED is not JSON" in text.err


async def test_a_list_is_filtered_bounded_and_read_to_its_end(rig: ExchangeRig, tmp_path: Path) -> None:
    done = await bulk(rig, tmp_path / "f", *(json.dumps({"id": f"d{number}", "line": "of-d"}) for number in range(1200)))
    assert (done.code, done.json["accepted"]) == (0, 1200)
    first = (await run(rig, "list", "--key", "of-d", "--limit", "3", "--json")).json
    assert (len(first["deliveries"]), first["more"]) == (3, True)
    every = await found(rig, "--subscription", PROBE, "--key", "of-d", "--all")
    assert len(every) == len({one["message_id"] for one in every}) == 1200
    assert [one["message_id"] for one in every[:3]] == [one["message_id"] for one in first["deliveries"]]
    assert "ordering_key" not in every[0]
    (one,) = await found(rig, "--id", every[7]["message_id"], "--keys")
    assert one["ordering_key"] == "of-d"
    assert await found(rig, "--key", "of-d", "--until", "1h") == []
    assert await found(rig, "--key", "of-d", "--operation", ONCE) == []
    text = await run(rig, "list", "--key", "of-d", "--limit", "2")
    assert len(text.out.splitlines()) == 3
    assert "there are more" in text.err


async def test_an_export_has_a_line_for_each_delivery_and_no_key(rig: ExchangeRig, tmp_path: Path) -> None:
    await bulk(rig, tmp_path / "f", *(json.dumps({"id": f"e{number}", "line": "of-e"}) for number in range(5)))
    done = await run(rig, "export", "--key", "of-e", "--to", str(tmp_path / "out.jsonl"))
    assert (done.code, "5 deliveries in" in done.err) == (0, True), done.err
    text = (tmp_path / "out.jsonl").read_text()
    assert len(text.splitlines()) == 5
    assert "of-e" not in text
    assert [path.name for path in tmp_path.glob("out*")] == ["out.jsonl"]
    printed = await run(rig, "export", "--key", "of-e")
    assert {one["message_id"] for one in printed.documents} == {json.loads(line)["message_id"] for line in text.splitlines()}
    nowhere = await run(rig, "export", "--to", str(tmp_path / "none" / "out.jsonl"))
    assert (nowhere.code, "can't be written" in nowhere.err) == (1, True)


async def test_what_waits_is_grouped_by_cause_and_released(rig: ExchangeRig) -> None:
    message_id = await parked(rig, "f1")
    groups = await run(rig, "groups", "--subscription", PROBE, "--json")
    assert groups.code == 1
    (group,) = groups.json
    assert (group["state"], group["status"], group["reason"], group["deliveries"]) == ("parked", "NOT_FOUND", "NO_TRACE", 1)
    assert group["example_message_id"] == message_id
    assert "1 delivery waits" in (await run(rig, "groups")).err
    accounts = await run(rig, "subscriptions")
    assert (accounts.code, "! probe:PublishProbe" in accounts.out) == (1, True)
    unanswered = await run(rig, "release", message_id, *WHY)
    assert unanswered.code == 1
    assert "would release 1 delivery" in unanswered.err
    assert "standard input is no terminal, so nobody can be asked; nothing was done" in unanswered.err
    assert await standing(rig, message_id) == "parked"
    done = await run(rig, "release", "--state", "parked", "--cause", "NO_TRACE", *WHY, "--yes")
    assert (done.code, "released: 1 delivery" in done.out) == (0, True), done.err
    assert await ended(rig, message_id) == "processed"
    shown = " ".join((await run(rig, "show", message_id)).out.split())
    assert "released “a test decides” by 100001XX" in shown
    assert (await run(rig, "groups")).code == 0
    assert (await run(rig, "subscriptions")).code == 0


async def test_what_is_purged_is_out_and_says_who_took_it(rig: ExchangeRig) -> None:
    message_id = await parked(rig, "g1")
    done = await run(rig, "purge", message_id, *WHY, "--yes", "--json", "--officer", "200002YY")
    assert done.json == {"decision": "purge", "matched": 1, "moved": 1}
    assert await standing(rig, message_id) == "purged"
    steps = (await run(rig, "show", message_id, "--json")).json["steps"]
    assert (steps[-1]["by"], steps[-1]["reason"]) == ("200002YY", "a test decides")
    again = await run(rig, "purge", message_id, *WHY, "--yes")
    assert again.code == 1
    assert "nothing was done: none of the deliveries that match is pending, parked, in_doubt or expired, but 1 purged" in again.err
    none = await run(rig, "purge", NOBODYS, *WHY, "--yes")
    assert (none.code, f"{NOBODYS}: no such delivery is kept" in none.err) == (1, True)
    assert "no delivery matches, so nothing was done" in none.err


async def test_a_subscription_pauses_and_resumes(rig: ExchangeRig) -> None:
    done = await run(rig, "pause", "probe:PublishOnce", *WHY)
    assert (done.code, "is paused" in done.out) == (0, True), done.err
    message_id = await publish(rig, "h1", operation=ONCE)
    late = await run(rig, "watch", message_id, "--deadline", "8s")
    assert (late.code, "was not done in time: pending" in late.err) == (1, True), late.err
    accounts = {one["subscription"]: one for one in (await run(rig, "subscriptions", "--json")).json}
    (paused,) = [one for one in accounts.values() if one["paused"]]
    assert paused["counts"]["pending"] == 1
    assert paused["total"] == sum(paused["counts"].values())
    assert (await run(rig, "resume", "PublishOnce", *WHY, "--json")).json["paused"] is False
    assert await ended(rig, message_id) == "processed"


async def test_a_watch_that_its_message_outlasts_is_ended_in_words(rig: ExchangeRig) -> None:
    """Envoy cuts a stream that is under way at its deadline without a status; so the hub is first, which tells that from a broken line."""
    assert (await run(rig, "pause", "probe:PublishOnce", *WHY)).code == 0
    try:
        message_id = await publish(rig, "h2", operation=ONCE)
        watch: Any = ExchangeServiceStub(rig.channel()).Watch(WatchRequest(message_id=message_id), timeout=3.0, metadata=rig.token())
        assert (await watch.read()).message.message_id == message_id
        with pytest.raises(grpc.aio.AioRpcError) as ended_by:
            await watch.read()
        assert (ended_by.value.code(), refusal_of(ended_by.value).reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "TIMED_OUT")
        assert refusal_of(ended_by.value).text == "the message is not done yet"
    finally:
        await run(rig, "resume", "probe:PublishOnce", *WHY)


async def test_what_waits_behind_another_of_its_key_is_parked_and_released(rig: ExchangeRig) -> None:
    first = await parked(rig, "i1")
    await run(rig, "release", first, *WHY, "--yes")
    rig.mode("poison i2")
    await publish(rig, "i2", "of-i")
    message_id = await publish(rig, "i3", "of-i")
    rig.mode("")
    (behind,) = await found(rig, "--key", "of-i", "--state", "pending")
    assert (behind["message_id"], behind["held_back"]) == (message_id, True)
    assert (await run(rig, "park", message_id, *WHY, "--yes")).code == 0
    mixed = await run(rig, "release", "--key", "of-i", *WHY, "--yes")
    assert (mixed.code, "would release 2 deliveries" in mixed.err) == (0, True)
    assert await ended(rig, message_id) == "processed"


async def test_a_replay_is_planned_first_and_does_nothing_until_it_is_told_to(rig: ExchangeRig) -> None:
    message_id = await publish(rig, "j1", "of-j")
    assert await ended(rig, message_id) == "processed"
    planned = await run(rig, "replay", "--key", "of-j", *WHY)
    assert planned.code == 0, planned.err
    assert "processed  1  delivered once more" in planned.out
    assert "not replayed yet" in planned.out
    assert len(await found(rig, "--key", "of-j")) == 1
    plan = (await run(rig, "replay", "--key", "of-j", *WHY, "--json")).json
    assert (plan["counts"], plan["needs_approval"]) == ({"processed": 1}, False)
    done = await run(rig, "replay", "--plan", plan["plan_id"], *WHY, "--json")
    assert done.json == {"plan_id": plan["plan_id"], "replayed": 1, "left": 0}
    again = await run(rig, "replay", "--plan", plan["plan_id"], *WHY)
    assert (again.code, "replayed: 1 delivery" in again.out) == (0, True)
    first, second = await found(rig, "--key", "of-j")
    document = (await run(rig, "track", second["message_id"], "--json")).json
    assert document["replay_of"] == first["message_id"] == message_id
    none = await run(rig, "replay", "--key", "nobody's", *WHY, "--yes")
    assert (none.code, "nothing to replay" in none.err) == (1, True)


async def test_a_replay_of_what_is_not_idempotent_needs_another_officer(rig: ExchangeRig) -> None:
    message_id = await publish(rig, "k1", "of-k", operation=ONCE)
    assert await ended(rig, message_id) == "processed"
    unapproved = await run(rig, "replay", "--key", "of-k", *WHY, "--yes", "--json")
    plan = unapproved.json
    assert (unapproved.code, plan["needs_approval"], "replayed" in plan) == (1, True, False)
    refused = await run(rig, "replay", "--plan", plan["plan_id"], *WHY)
    assert (refused.code, "metip messages approve PLAN --officer NUMBER" in refused.err) == (1, True)
    own = await run(rig, "approve", plan["plan_id"], *WHY)
    assert (own.code, "approve it as somebody else: --officer NUMBER" in own.err) == (1, True)
    approved = await run(rig, "approve", plan["plan_id"], *WHY, "--officer", "200002YY")
    assert approved.code == 0, approved.err
    done = await run(rig, "replay", "--plan", plan["plan_id"], *WHY)
    assert (done.code, "replayed: 1 delivery" in done.out) == (0, True), done.err
    assert len(await found(rig, "--key", "of-k")) == 2


REFUSED = [
    pytest.param(("track", NOBODYS), "NOT_FOUND", "`metip messages list` finds those that are kept", id="track"),
    pytest.param(("watch", NOBODYS), "NOT_FOUND", "`metip messages list` finds those that are kept", id="watch"),
    pytest.param(("show", NOBODYS), "NOT_FOUND", "`metip messages list` finds those that are kept", id="show"),
    pytest.param(("replay", "--plan", NOBODYS, *WHY), "NOT_FOUND", "plan again", id="replay"),
    pytest.param(("approve", NOBODYS, *WHY), "NOT_FOUND", "plan again", id="approve"),
]


@pytest.mark.parametrize(("arguments", "status", "advice"), REFUSED)
async def test_what_is_not_there_is_refused_with_what_to_do(rig: ExchangeRig, arguments: tuple[str, ...], status: str, advice: str) -> None:
    done = await run(rig, *arguments)
    assert (done.code, f"refused: {status}" in done.err, advice in done.err) == (1, True, True), done.err
    error = (await run(rig, *arguments, "--json")).json["error"]
    assert (error["status"], advice in error["advice"], bool(error["call_id"])) == (status, True, True)


async def test_a_subscription_that_there_is_not_is_refused_with_those_that_are(rig: ExchangeRig) -> None:
    for arguments in (("pause", "nothing", *WHY), ("list", "--subscription", "nothing"), ("groups", "--subscription", "nothing")):
        done = await run(rig, *arguments)
        assert (done.code, "there is no subscription nothing" in done.err, "PublishProbe" in done.err) == (1, True, True)


async def test_a_write_without_an_answer_is_in_doubt_until_a_person_settles_it(rig: ExchangeRig, tmp_path: Path) -> None:
    """Last: the subscriber is stopped in the middle of two writes, and may be out of rotation for a while after."""
    rig.kill("subscriber-0", signal.SIGSTOP)
    try:
        assert (await bulk(rig, tmp_path / "f", '{"id": "y1"}', '{"id": "y2"}', operation=ONCE)).json["accepted"] == 2
        ((done, state), (undone, other)) = [
            (one["message_id"], await ended(rig, one["message_id"])) for key in ("y1", "y2") for one in await found(rig, "--key", key)
        ]
        assert {state, other} == {"in_doubt"}
    finally:
        rig.kill("subscriber-0", signal.SIGCONT)
    groups = (await run(rig, "groups", "--json")).json
    assert {one["state"] for one in groups} == {"in_doubt"}
    assert sum(one["deliveries"] for one in groups) == 2
    assert (await run(rig, "settle", done, "--done", *WHY, "--yes")).code == 0
    assert (await run(rig, "settle", "--state", "in_doubt", "--not-done", *WHY, "--yes")).code == 0
    assert (await standing(rig, done), await standing(rig, undone)) == ("processed", "refused")
    shown = (await run(rig, "show", done)).out
    assert "→ in_doubt" in shown
    assert "settled as done" in shown
    assert (await run(rig, "watch", undone)).code == 1


async def test_a_backup_holds_what_was_accepted_and_is_never_written_over_a_file(rig: ExchangeRig, tmp_path: Path) -> None:
    message_id = await publish(rig, "backup-1")
    path = tmp_path / "copy.sqlite"
    done = await run(rig, "backup", "--to", str(path), "--json")
    assert (done.code, done.json) == (0, {"file": str(path), "bytes": path.stat().st_size}), done.err
    assert path.stat().st_mode & 0o777 == 0o600
    store = Store(path)
    try:
        assert message(store, message_id).message_id == message_id
    finally:
        store.close()
    again = await run(rig, "backup", "--to", str(path))
    assert (again.code, "is there already" in again.err) == (1, True)
