"""Each limit of the edge bites, on the real Envoy; where production's is too high to reach in a test, it is set low."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import fields
from io import BytesIO

import aiohttp
import grpc
import pytest
import pytest_asyncio
from edge_rig import OTHER, EdgeRig, Json, running_edge, spiffe_id
from http2_frames import connected, data, framed, request
from hyperframe.frame import RstStreamFrame, SettingsFrame, WindowUpdateFrame
from mesh_rig import reason_of
from ruamel.yaml import YAML

from hub.laptop.layout import Home
from hub.laptop.preparing import bootstrap
from hub.mesh.inputs import Limit
from hub.mesh.limits import Limits
from hub.mesh.listeners import FORGEABLE

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHORT = Limits(handshake=0.5, headers_within=0.5, idle=1.0, stream_idle=0.7, ping_every=1.0, pong_within=1.0, calls_per_second=5, burst=20)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge() -> AsyncIterator[EdgeRig]:
    """With production's limits."""
    async with running_edge() as rig:
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def short() -> AsyncIterator[EdgeRig]:
    """With times and rates that a test can wait for."""
    async with running_edge(SHORT) as rig:
        yield rig


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_only_tls_1_3_is_spoken(version: ssl.TLSVersion, edge: EdgeRig) -> None:
    context = edge.tls()
    context.minimum_version = context.maximum_version = version
    for port in (edge.port, edge.json_port):
        if version is ssl.TLSVersion.TLSv1_3:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
            assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            writer.close()
        else:
            with pytest.raises(OSError, match=r"(?i)protocol version|alert|reset|closed"):
                await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")


async def test_the_protocol_is_agreed_in_the_handshake(edge: EdgeRig) -> None:
    for said, agreed in ((("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), (("spdy/3",), None)):
        _, writer = await asyncio.open_connection("127.0.0.1", edge.port, ssl=edge.tls(*said), server_hostname="localhost")
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == agreed
        writer.close()


async def test_more_headers_than_allowed_are_refused(edge: EdgeRig) -> None:
    channel = edge.channel()
    assert await edge.status(channel, *[(f"x-h{place}", "1") for place in range(30)]) == "OK"
    before = edge.far.calls.total()
    assert await edge.status(channel, *[(f"x-h{place}", "1") for place in range(70)]) != "OK"
    assert edge.far.calls.total() == before


async def test_longer_headers_than_allowed_are_refused(edge: EdgeRig) -> None:
    channel, before = edge.channel(), edge.far.calls.total()
    assert await edge.status(channel, ("x-long", "x" * 17 * 1024)) != "OK"
    assert edge.far.calls.total() == before
    assert await edge.status(edge.channel(), ("x-long", "x" * 4 * 1024)) == "OK"


async def test_the_settings_of_http2_are_those_of_the_limits(edge: EdgeRig) -> None:
    limits = Limits()
    async with connected(edge.port, edge.tls()) as client:
        frame = await client.until(lambda one: isinstance(one, SettingsFrame) and bool(one.settings))
        window = await client.until(lambda one: isinstance(one, WindowUpdateFrame) and one.stream_id == 0)
    assert isinstance(frame, SettingsFrame)
    assert isinstance(window, WindowUpdateFrame)
    assert frame.settings[SettingsFrame.MAX_CONCURRENT_STREAMS] == limits.streams
    assert frame.settings[SettingsFrame.INITIAL_WINDOW_SIZE] == limits.stream_window
    assert frame.settings.get(SettingsFrame.ENABLE_CONNECT_PROTOCOL, 0) == 0
    assert window.window_increment == limits.connection_window - 65_535


async def test_one_stream_more_than_allowed_is_reset(edge: EdgeRig) -> None:
    async with connected(edge.port, edge.tls()) as client:
        opened = [client.headers(request(edge.operation.path, *edge.token()), end=False) for _ in range(Limits().streams + 1)]
        assert await client.send(*opened)
        reset = await client.until(lambda one: isinstance(one, RstStreamFrame))
        assert client.goaway is not None or (isinstance(reset, RstStreamFrame) and reset.stream_id == opened[-1].stream_id)
    assert await edge.status(edge.channel()) == "OK"


async def test_answers_that_a_client_does_not_read_fill_no_memory(edge: EdgeRig) -> None:
    calls, each = 40, 3 * 1024 * 1024
    edge.far.reply = bytes(each)
    before = edge.envoy.memory()
    try:
        async with connected(edge.port, edge.tls(), settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as client:
            for _ in range(calls):
                opened = client.headers(request(edge.operation.path, *edge.token()), end=False)
                await client.send(opened, data(opened.stream_id, framed(b""), end=True))
            await asyncio.sleep(2)
            assert edge.envoy.memory() - before < calls * each / 4
    finally:
        edge.far.reply = b""
    assert await edge.status(edge.channel()) == "OK"


async def test_a_body_longer_than_any_json_is_refused_with_its_reason(edge: EdgeRig) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=edge.tls("http/1.1"))) as http:
        long = BytesIO(b'{"access": {"justification": "' + b"x" * (Limits().json_bytes + 1) + b'"}}')
        where = f"https://localhost:{edge.json_port}{edge.operation.path}"
        headers = {"content-type": "application/json", **dict(edge.token())}
        async with http.post(where, data=long, headers=headers) as answer:
            told = await answer.json()
            assert (answer.status, told["details"][0]["reason"]) == (413, "TOO_LARGE")


async def test_a_handshake_that_takes_too_long_is_ended(short: EdgeRig) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", short.port)
    async with asyncio.timeout(5):
        with suppress(OSError):
            assert await reader.read(1) == b""
    writer.close()


async def test_headers_that_take_too_long_are_ended(short: EdgeRig) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", short.json_port, ssl=short.tls("http/1.1"), server_hostname="localhost")
    writer.write(b"POST / HTTP/1.1\r\nhost: localhost\r\nx-slow: ")
    async with asyncio.timeout(5):
        answer = await reader.read(-1)
    assert answer.startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_call_that_is_silent_is_ended(short: EdgeRig) -> None:
    async with connected(short.port, short.tls()) as client:
        opened = client.headers(request(short.operation.path, *short.token()), end=False)
        await client.send(opened)
        assert await client.until(lambda one: one.stream_id == opened.stream_id, within=5) is not None


async def test_a_connection_without_calls_is_closed(short: EdgeRig) -> None:
    async with connected(short.port, short.tls()) as client:
        assert await client.ends(within=6)


async def test_a_client_that_answers_no_ping_is_cut_off() -> None:
    async with running_edge(Limits(ping_every=0.5, pong_within=0.5)) as rig, connected(rig.port, rig.tls()) as client:
        assert await client.ends(within=6)
        assert await rig.status(rig.channel()) == "OK"


async def test_a_consumer_that_calls_too_often_is_told_so_and_no_other_is(short: EdgeRig) -> None:
    channel = short.channel()
    ends = await asyncio.gather(*(short.status(channel) for _ in range(SHORT.burst * 3)))
    assert ends.count("RESOURCE_EXHAUSTED") >= SHORT.burst
    await asyncio.gather(*(short.status(channel) for _ in range(SHORT.burst)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await short.call(channel)
    assert (refused.value.code().name, reason_of(refused.value)) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CALLS")
    assert await short.status(short.channel(OTHER), name=OTHER) == "OK"
    assert await short.status(short.channel()) == "RESOURCE_EXHAUSTED", "a second connection is no second consumer"


async def test_a_consumer_with_a_rate_of_its_own_is_held_to_it_and_no_other_is() -> None:
    async with running_edge(own=(Limit(spiffe_id(OTHER), rate_per_second=2, burst=4),)) as rig:
        slow = rig.channel(OTHER)
        ends = await asyncio.gather(*(rig.status(slow, name=OTHER) for _ in range(20)))
        assert 4 <= ends.count("OK") <= 10
        assert ends.count("RESOURCE_EXHAUSTED") >= 10
        assert set(await asyncio.gather(*(rig.status(rig.channel()) for _ in range(20)))) == {"OK"}


async def test_more_consumers_than_are_counted_apart_are_still_bounded() -> None:
    async with running_edge(Limits(consumers=1, calls_per_second=1, burst=3)) as rig:
        first, second = rig.channel(), rig.channel(OTHER)
        ends = [await rig.status(first) for _ in range(6)] + [await rig.status(second, name=OTHER) for _ in range(6)]
        assert ends[:6].count("RESOURCE_EXHAUSTED") >= 1
        assert ends[6] == "OK"
        assert ends[6:].count("RESOURCE_EXHAUSTED") >= 1


async def test_connections_past_the_limit_of_all_are_closed_and_the_others_live_on() -> None:
    def few(said: Json) -> None:
        said["overload_manager"]["resource_monitors"][0]["typed_config"]["max_active_downstream_connections"] = 5

    async with running_edge(bootstrapped=few) as rig:
        channel = rig.channel()
        assert await rig.status(channel) == "OK"
        assert await _served(rig, 20) <= 4
        assert await rig.status(channel) == "OK"


async def test_connections_past_a_doors_limit_leave_room_at_the_other() -> None:
    def few(said: Json) -> None:
        said["layered_runtime"]["layers"][0]["static_layer"]["envoy.resource_limits.listener.json.connection_limit"] = 3

    async with running_edge(bootstrapped=few) as rig:
        assert await _served(rig, 10, port=rig.json_port) <= 3
        assert await rig.status(rig.channel()) == "OK"


async def test_short_of_memory_calls_are_refused_and_not_the_machine_brought_down() -> None:
    def tiny(said: Json) -> None:
        manager = said["overload_manager"]
        manager["resource_monitors"][1]["typed_config"]["max_heap_size_bytes"] = 1024
        manager["actions"] = [one for one in manager["actions"] if one["name"] != "envoy.overload_actions.stop_accepting_connections"]

    async with running_edge(bootstrapped=tiny) as rig:
        channel = rig.channel()
        async with asyncio.timeout(10):
            while await rig.status(channel) != "UNAVAILABLE":  # noqa: ASYNC110 - Envoy looks at its memory four times a second
                await asyncio.sleep(0.05)
        rig.far.calls.clear()
        assert {await rig.status(channel) for _ in range(20)} == {"UNAVAILABLE"}
        assert rig.far.calls.total() == 0


async def test_past_its_requests_a_far_side_is_asked_no_more(edge: EdgeRig) -> None:
    release = asyncio.Event()
    edge.far.before = release.wait
    key = f"circuit_breakers.{edge.operation.interface}.default.max_requests"
    await edge.envoy.post(f"/runtime_modify?{key}=3")
    try:
        waiting = [asyncio.create_task(edge.status(edge.channel())) for _ in range(12)]
        await asyncio.sleep(0.5)
        release.set()
        ends = await asyncio.gather(*waiting)
    finally:
        edge.far.before = None
        await edge.envoy.post(f"/runtime_modify?{key}=")
    assert (ends.count("OK"), ends.count("UNAVAILABLE")) == (3, 9)


async def test_an_endpoint_that_is_dead_takes_no_calls() -> None:
    async with running_edge(hosts=2) as rig:
        channel = rig.channel()
        assert {await rig.status(channel) for _ in range(30)} == {"OK"}


async def test_a_far_side_that_fails_is_ejected_though_its_health_is_good(edge: EdgeRig) -> None:
    ejections = f"cluster.{edge.operation.interface}.outlier_detection.ejections_detected_consecutive_gateway_failure"

    before = await edge.envoy.stat(ejections)
    edge.far.unavailable = True
    try:
        ends = {await edge.status(edge.channel()) for _ in range(6)}
    finally:
        edge.far.unavailable = False
    assert ends == {"UNAVAILABLE"}
    assert await edge.envoy.stat(ejections) > before


@pytest.mark.parametrize("header", FORGEABLE)
async def test_what_only_envoy_may_say_never_reaches_a_far_side_from_outside(header: str, edge: EdgeRig) -> None:
    edge.far.metadata.clear()
    assert await edge.status(edge.channel(), (header, "7777777")) == "OK"
    (seen,) = edge.far.metadata
    assert "7777777" not in seen.get(header, "")


async def test_the_identity_that_a_far_side_reads_is_envoys_and_alone(edge: EdgeRig) -> None:
    edge.far.metadata.clear()
    forged = "Hash=0;URI=spiffe://metip.local/consumer/forged"
    assert await edge.status(edge.channel(), ("x-forwarded-client-cert", forged), ("x-forwarded-client-cert", forged)) == "OK"
    (seen,) = edge.far.metadata
    assert "forged" not in seen["x-forwarded-client-cert"]
    assert seen["x-forwarded-client-cert"].endswith("URI=spiffe://metip.local/consumer/developer")


@pytest.mark.parametrize("twin", ["x_metip_officer", "x_forwarded_client_cert", "x_request_id"])
async def test_a_twin_with_underscores_is_refused(twin: str, edge: EdgeRig) -> None:
    before = edge.far.calls.total()
    assert await edge.status(edge.channel(), (twin, "1")) != "OK"
    assert edge.far.calls.total() == before


async def test_nothing_is_upgraded_and_no_tunnel_is_made(edge: EdgeRig) -> None:
    before = edge.far.calls.total()
    for lines in (
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n",
        "CONNECT localhost:22 HTTP/1.1\r\nhost: localhost:22\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.json_port, ssl=edge.tls("http/1.1"), server_hostname="localhost")
        writer.write(lines.encode())
        async with asyncio.timeout(5):
            status = int((await reader.readline()).split(b" ")[1])
        assert status >= 400
        writer.close()
    async with connected(edge.port, edge.tls()) as client:
        extended = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/"), (":authority", "localhost")]
        opened = client.headers(extended, end=False)
        await client.send(opened)
        assert (await client.answer(opened.stream_id)).get(":status") != "200"
    assert edge.far.calls.total() == before


async def test_the_admin_interface_is_a_socket_of_its_own_user(edge: EdgeRig) -> None:
    said = YAML(typ="safe", pure=True).load(bootstrap(Home.at(edge.log.parent), xds="delta"))["admin"]["address"]
    assert set(said) == {"pipe"}
    assert said["pipe"]["mode"] == 0o600
    listening = {one["name"] for one in (await edge.envoy.json("/listeners?format=json"))["listener_statuses"]}
    assert listening == {"edge", "json", "deliveries"} & listening
    for path in ("/config_dump", "/stats", "/quitquitquit", "/runtime_modify?a=1", "/clusters"):
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=edge.tls("http/1.1"))) as http,
            http.post(f"https://localhost:{edge.json_port}{path}", headers=dict(edge.token())) as answer,
        ):
            assert answer.status == 403


async def test_a_call_without_an_end_is_ended_by_its_contract(edge: EdgeRig) -> None:
    edge.far.metadata.clear()
    assert await edge.status(edge.channel(), within=315_360_000) == "OK"
    (seen,) = edge.far.metadata
    assert "grpc-timeout" not in seen or float(seen["grpc-timeout"][:-1]) <= edge.operation.timeout * 1e9
    assert edge.far.remaining[-1] <= edge.operation.timeout
    release = asyncio.Event()
    edge.far.before = release.wait  # it answers nothing, so that whatever ends the call is its deadline
    try:
        assert await edge.status(edge.channel(), within=0) == "DEADLINE_EXCEEDED"
    finally:
        edge.far.before = None
        release.set()


PROVED = {
    "headers": test_more_headers_than_allowed_are_refused,
    "header_kilobytes": test_longer_headers_than_allowed_are_refused,
    "streams": test_one_stream_more_than_allowed_is_reset,
    "stream_window": test_the_settings_of_http2_are_those_of_the_limits,
    "connection_window": test_the_settings_of_http2_are_those_of_the_limits,
    "buffer": test_answers_that_a_client_does_not_read_fill_no_memory,
    "json_bytes": test_a_body_longer_than_any_json_is_refused_with_its_reason,
    "handshake": test_a_handshake_that_takes_too_long_is_ended,
    "headers_within": test_headers_that_take_too_long_are_ended,
    "idle": test_a_connection_without_calls_is_closed,
    "stream_idle": test_a_call_that_is_silent_is_ended,
    "ping_every": test_a_client_that_answers_no_ping_is_cut_off,
    "pong_within": test_a_client_that_answers_no_ping_is_cut_off,
    "calls_per_second": test_a_consumer_that_calls_too_often_is_told_so_and_no_other_is,
    "burst": test_a_consumer_that_calls_too_often_is_told_so_and_no_other_is,
    "consumers": test_more_consumers_than_are_counted_apart_are_still_bounded,
}
ELSEWHERE = {"resets", "resets_per_second", "control_frames", "frames"}
"""Those of `test_edge_attacks`."""


async def test_every_limit_is_proved() -> None:
    assert {one.name for one in fields(Limits)} == set(PROVED) | ELSEWHERE


async def _served(rig: EdgeRig, count: int, *, port: int = 0) -> int:
    """How many of that many connections, all open together, are answered on."""
    held: list[asyncio.StreamWriter] = []
    served = 0
    for _ in range(count):
        with suppress(OSError, asyncio.TimeoutError):
            async with asyncio.timeout(3):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port or rig.json_port, ssl=rig.tls("http/1.1"), server_hostname="localhost"
                )
                held.append(writer)
                writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                served += bool(await reader.read(1))
    for writer in held:
        writer.close()
    return served
