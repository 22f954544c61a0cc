"""The REST client against a real server: tokens and their life, being asked to wait, problems, and HTTPS with an authority of one's own."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from certified import certified

from adapters.kit import Call, Fault, Limits, Log, Reason
from adapters.kit.http import HttpClient
from adapters.kit.json_documents import record
from adapters.kit.rest import LONGEST_WAIT, Client, Problem, RefusedError, RestClient
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.rest import REST_DIALS, WORDS, Refusal, RestFace, Tree, reply
from metip.settings import SettingsError

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "quackenbush-secret"


@record
class Thing(Problem):
    """A problem with a member of its own."""

    step: str = ""


@dataclass
class FarSide:
    """A REST server, its dials, and a client of it."""

    client: RestClient[Thing]
    dials: Dials
    asked: list[HttpRequest] = field(default_factory=list)
    answers: list[HttpReply] = field(default_factory=list)
    """What it answers, one after the other; afterwards an empty document."""
    now: float = 0.0
    """The client's clock."""

    async def get(self, seconds: float = 10.0) -> Tree:
        """One question."""
        call = Call(id="c", operation="o", consumer="", officer=None, deadline=time.monotonic() + seconds)
        found, _ = await self.client.document(dict, "GET", "/things", call, headers={"X-Own": "1"})
        return found

    def turn(self, dial: str, setting: str = "", times: int = 0) -> None:
        """Sets a dial."""
        self.dials.set([Dial(dial, setting, times=times)])


@asynccontextmanager
async def far_side(life: int = 300, secret_file: str = "") -> AsyncIterator[FarSide]:
    """Runs one for the length of the block."""

    def answer(request: HttpRequest, body: Tree) -> HttpReply:
        side.asked.append(request)
        return side.answers.pop(0) if side.answers else reply({})

    dials = Dials(REST_DIALS, seed=1)
    face = RestFace(dials, "/token", "urn:x", answer, life)
    async with (
        Http(face.answer).listening("127.0.0.1", 0, dials) as address,
        HttpClient.connected(limits(address), Log(StringIO())) as http,
    ):
        client = Client(token_path="/token", client_id="a b", secret_file=secret_file)
        side = FarSide(RestClient(http, client, Thing, lambda: side.now), dials)
        yield side


def limits(address: str) -> Limits:
    """Limits towards that address."""
    return Limits(address=address, sessions=2, timeout=5, failures_to_open=100, open_for=timedelta(seconds=1), max_waiting=10)


async def refused(call: Callable[[], Awaitable[object]]) -> Fault:
    """The fault of a question."""
    with pytest.raises(Fault) as told:
        await call()
    return told.value


async def test_one_token_serves_until_shortly_before_its_end() -> None:
    async with far_side(life=300) as side:
        for side.now in (0.0, 100.0, 269.0, 271.0, 280.0):
            assert await side.get() == {}
        assert side.dials.exchanges["token"] == 2
        assert side.asked[0].headers["Authorization"].startswith("Bearer ")
        assert side.asked[0].headers["X-Own"] == "1"


async def test_a_short_life_is_used_to_its_half() -> None:
    async with far_side(life=20) as side:
        for side.now in (0.0, 9.0, 11.0):
            await side.get()
        assert side.dials.exchanges["token"] == 2


async def test_a_token_that_was_forgotten_is_replaced_once() -> None:
    async with far_side() as side:
        await side.get()
        side.turn("token_forgotten", times=1)
        assert await side.get() == {}
        side.turn("token_forgotten")
        fault = await refused(side.get)
        assert (fault.reason, dict(fault.metadata)) == (Reason.UPSTREAM_UNAVAILABLE, {"code": "401"})


async def test_a_client_that_is_refused_asks_nothing() -> None:
    async with far_side() as side:
        side.turn("client_refused")
        assert (await refused(side.get)).reason is Reason.UPSTREAM_UNAVAILABLE
        assert side.asked == []


async def test_a_new_secret_is_used_for_the_next_token_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    async with far_side(life=20, secret_file=str(file)) as side:
        await side.get()
        file.write_text("x" * 1000)
        side.now = 11.0
        fault = await refused(side.get)
        assert (fault.reason, SECRET in str(fault)) == (Reason.UPSTREAM_UNAVAILABLE, False)


async def test_a_short_wait_is_waited_and_nobody_notices() -> None:
    async with far_side() as side:
        side.turn("rate_limited", "0", times=1)
        assert await side.get() == {}


async def test_a_long_wait_is_the_callers_and_nobody_asks_meanwhile() -> None:
    async with far_side() as side:
        side.turn("rate_limited", "30", times=1)
        assert ((await refused(side.get)).reason, side.asked) == (Reason.BUSY, [])
        side.now = 20.0
        fault = await refused(side.get)
        assert (fault.reason, fault.retry_after, side.asked) == (Reason.BUSY, timedelta(seconds=10), [])
        side.now = 31.0
        assert await side.get() == {}


async def test_nobody_is_left_alone_for_longer_than_we_can_bear() -> None:
    async with far_side() as side:
        side.turn("rate_limited", "99999", times=1)
        await refused(side.get)
        side.now = LONGEST_WAIT.total_seconds() + 1
        assert await side.get() == {}


async def test_nonsense_counts_against_the_far_system_and_a_problem_does_not() -> None:
    async with far_side() as side:
        problem = HttpReply(b'{"type":"urn:x:one"}', 404)
        side.answers = [problem, HttpReply(b"<html>", 404), problem, HttpReply(b"<html>", 200), HttpReply(b"[]", 201)]
        failures = []
        for _ in range(5):
            with pytest.raises((Fault, RefusedError)):
                await side.get()
            failures.append(side.client.guard.breaker._failures)
        assert failures == [0, 1, 0, 1, 2]


async def test_a_release_is_an_outage_that_says_when_it_ends() -> None:
    async with far_side() as side:
        side.turn("release")
        fault = await refused(side.get)
        assert (fault.reason, fault.retry_after) == (Reason.UPSTREAM_UNAVAILABLE, timedelta(seconds=600))


async def test_a_problem_is_raised_with_its_own_members_and_without_words() -> None:
    async with far_side() as side:
        side.answers = [HttpReply(b'{"type":"urn:x:some-problem","step":"ONE","detail":"words","errors":[{"pointer":"/a/b"}]}', 409)]
        with pytest.raises(RefusedError) as told:
            await side.get()
        problem = told.value.problem
        assert (told.value.status, problem.name, problem.step, problem.errors[0].pointer) == (409, "some-problem", "ONE", "/a/b")
        assert "words" not in f"{told.value!r}{problem!r}"


@pytest.mark.parametrize(
    "answer", [HttpReply(b"<html>", 404), HttpReply(b"[]", 200), HttpReply(b"\xff", 500)], ids=["page", "list", "bytes"]
)
async def test_what_is_neither_document_nor_problem_is_a_fault(answer: HttpReply) -> None:
    async with far_side() as side:
        side.answers = [answer]
        assert (await refused(side.get)).reason is Reason.UPSTREAM_FAULT


TOKENS = {
    "no JSON": b"token",
    "no token": b'{"token_type":"Bearer"}',
    "another type": b'{"access_token":"a","token_type":"mac"}',
    "a header in it": b'{"access_token":"a\\r\\nX: y","token_type":"Bearer"}',
    "a number": b'{"access_token":7,"token_type":"Bearer"}',
}


@pytest.mark.parametrize("body", TOKENS.values(), ids=TOKENS)
async def test_what_is_no_token_is_a_fault(body: bytes) -> None:
    async def answer(request: HttpRequest) -> HttpReply:
        return HttpReply(body)

    async with Http(answer).listening("127.0.0.1", 0, Dials({}, seed=1)) as address:
        client = Client(token_path="/token", client_id="c")
        async with RestClient.connected(limits(address), Log(StringIO()), client, Thing) as rest:
            call = Call(id="c", operation="o", consumer="", officer=None, deadline=time.monotonic() + 5)
            with pytest.raises(Fault) as told:
                await rest.document(dict, "GET", "/", call, headers={})
            assert told.value.reason is Reason.UPSTREAM_FAULT


async def test_a_secret_or_an_authority_that_cannot_be_read_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    wrong = [({"secret_file": str(tmp_path / name)}, "") for name in ("missing", "empty")]
    for secret, authority in [*wrong, ({}, str(tmp_path / "missing")), ({}, str(tmp_path / "empty"))]:
        client = Client(token_path="/token", client_id="c", **secret)
        with pytest.raises(SettingsError):
            async with RestClient.connected(limits("http://127.0.0.1:9"), Log(StringIO()), client, Thing, authority_file=authority):
                pass


async def test_https_trusts_the_authority_that_is_named_and_no_other(tmp_path: Path) -> None:
    async def answer(request: HttpRequest) -> HttpReply:
        return reply({"access_token": "a", "token_type": "Bearer"})

    serving = certified(tmp_path, "one")
    certified(tmp_path, "two")
    client = Client(token_path="/token", client_id="c")
    async with Http(answer, serving).listening("127.0.0.1", 0, Dials({}, seed=1)) as address:
        assert address.startswith("https://")
        for authority, trusted in (("one", True), ("two", False), ("", False)):
            file = str(tmp_path / f"{authority}.pem") if authority else ""
            async with RestClient.connected(limits(address), Log(StringIO()), client, Thing, authority_file=file) as rest:
                call = Call(id="c", operation="o", consumer="", officer=None, deadline=time.monotonic() + 5)
                if trusted:
                    assert (await rest.document(dict, "GET", "/", call, headers={}))[0]["token_type"] == "Bearer"
                    continue
                with pytest.raises(Fault) as told:
                    await rest.document(dict, "GET", "/", call, headers={})
                assert told.value.reason is Reason.UPSTREAM_UNAVAILABLE


async def test_the_face_knows_a_key_with_another_content() -> None:
    face = RestFace(Dials(REST_DIALS, seed=1), "/token", "urn:x", lambda request, body: reply({}))
    assert face.once("k", b"a", lambda: {"n": 1}) == ({"n": 1}, False)
    assert face.once("k", b"a", lambda: {"n": 2}) == ({"n": 1}, True)
    with pytest.raises(Refusal, match="key-reused"):
        face.once("k", b"b", dict)
    assert WORDS
