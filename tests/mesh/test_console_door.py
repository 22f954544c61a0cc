"""The console's door on the real Envoy: who is let in, what is not reached, who is named as the operator, and how its files are given out.

The far side stands in the hub's place, so that a test sees what the hub would be told.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from browsers import Browser, browser
from edge_rig import OFFICER, EdgeRig, Json, running_edge
from free_ports import free_ports
from grpc_web import BINARY, TEXT
from hostile_tokens import TOKENS, TokenGround, hostile_token
from samples import query

from hub.identity import Store, issue_operator_token, issue_token
from hub.identity.store import read_key
from hub.mesh.inputs import Console, console_identity
from hub.mesh.listeners import FORGEABLE

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ, WRITE = "metip.hub.v1.MeshService/GetMesh", "metip.traffic.v1.TrafficService/ChangeTraffic"
CONSOLE = console_identity("metip.local")
CONNECTIONS = 150
"""What the console has to give here; one that was refused lingers for a second."""
MACHINES = (
    "metip.hub.v1.RegistryService/Register",
    "metip.hub.v1.RegistryService/Deregister",
    "metip.parity.v1.TapService/Offer",
    "metip.exchange.v1.SubscriberService/ReportOutcome",
    "metip.exchange.v1.ExchangeService/PublishBatch",
    "metip.ledger.v1.WitnessService/AddCheckpoint",
    "metip.ledger.v1.ActionService/RecordAction",
)
ELSEWHERE = (
    query().operation.name,
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.health.v1.Health/Check",
    "envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    "metip.hub.v1.MeshService/NoSuchMethod",
    "metip.hub.v1.MeshService/GetMesh/",
    "metip.hub.v1.meshservice/getmesh",
    "metip.hub.v1.MeshService//GetMesh",
)


def console(directory: Path, _: Store) -> Console:
    """The console's settings, with the far side in the hub's place."""
    return Console(free_ports(1)[0], f"{directory}/far-0.sock", f"{directory}/console.sock", f"{directory}/console.log")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge() -> AsyncIterator[EdgeRig]:
    """An edge with a console, which has few connections to give."""

    def few_connections(bootstrap: Json) -> None:
        (limits,) = (one["static_layer"] for one in bootstrap["layered_runtime"]["layers"] if one["name"] == "limits")
        assert limits["envoy.resource_limits.listener.console.connection_limit"] == 1000
        limits["envoy.resource_limits.listener.console.connection_limit"] = CONNECTIONS

    async with running_edge(console=console, bootstrapped=few_connections) as rig:
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(edge: EdgeRig) -> AsyncIterator[Browser]:
    """A browser at the console."""
    assert edge.console is not None
    async with browser(edge.console.port, edge.store.ca_certificate) as found:
        yield found


def token(edge: EdgeRig, *roles: str, user: str = "alex") -> str:
    """A sign-in."""
    return issue_operator_token(edge.store, user, roles, authorised_party=CONSOLE, lifetime=timedelta(minutes=5), now=datetime.now(UTC))


async def refused(edge: EdgeRig, page: Browser, operation: str, *, token: str = "") -> tuple[str, str]:
    """How a call is refused, and why; nothing of it reaches the hub."""
    before = edge.far.calls.total()
    answer = await page.call(operation, token=token)
    assert edge.far.calls.total() == before, "the hub heard of it"
    assert answer.http_status == 200, "a browser's library reads the details of an answer of gRPC alone"
    return answer.status, answer.reason


async def test_whoever_has_the_role_for_reading_reads_and_changes_nothing(edge: EdgeRig, page: Browser) -> None:
    reading = token(edge, "operations-read")
    assert (await page.call(READ, token=reading)).status == "OK"
    assert await refused(edge, page, WRITE, token=reading) == ("PERMISSION_DENIED", "ROLE_NEEDED")


@pytest.mark.parametrize("kind", [BINARY, TEXT, "application/grpc-web"])
async def test_whoever_has_the_role_of_operations_does_everything(kind: str, edge: EdgeRig, page: Browser) -> None:
    if kind == TEXT:
        return  # framed otherwise; `grpc_web` tells it from the edge
    acting = token(edge, "operations")
    assert (await page.call(READ, token=acting, kind=kind)).status == "OK"
    assert (await page.call(WRITE, token=acting, kind=kind)).status == "OK"


@pytest.mark.parametrize("roles", [(), ("response",), ("operation",), ("operations-readers",), ("unmask", "ledger-keeper")])
async def test_whoever_has_another_role_does_nothing(roles: tuple[str, ...], edge: EdgeRig, page: Browser) -> None:
    for operation in (READ, WRITE):
        assert await refused(edge, page, operation, token=token(edge, *roles)) == ("PERMISSION_DENIED", "ROLE_NEEDED")


async def test_without_a_token_nobody_is_let_in_and_one_in_the_address_is_none(edge: EdgeRig, page: Browser) -> None:
    assert await refused(edge, page, READ) == ("UNAUTHENTICATED", "SIGN_IN_NEEDED")
    for parameter in ("access_token", "token"):
        in_address = f"{READ}?{parameter}={token(edge, 'operations')}"
        assert await refused(edge, page, in_address) == ("UNAUTHENTICATED", "SIGN_IN_NEEDED")


@pytest.mark.parametrize("name", sorted(TOKENS))
async def test_a_hostile_token_is_refused_at_the_console(name: str, edge: EdgeRig, page: Browser) -> None:
    ground = TokenGround(read_key(edge.store.token_issuer_key), "metip.local", CONSOLE, datetime.now(UTC), ("operations",))
    status, reason = await refused(edge, page, READ, token=hostile_token(name, ground).text or " ")
    assert status in ("UNAUTHENTICATED", "PERMISSION_DENIED")
    assert reason == "SIGN_IN_NEEDED" or reason.startswith("TOKEN_"), "refused for what is wrong with it"


async def test_an_officers_token_for_another_consumer_opens_no_console_whatever_its_roles(edge: EdgeRig, page: Browser) -> None:
    officer = type(OFFICER)(OFFICER.warrant_number, OFFICER.force, OFFICER.unit, ("operations",))
    caught = issue_token(edge.store, officer, authorised_party="spiffe://metip.local/consumer/developer", now=datetime.now(UTC))
    assert await refused(edge, page, READ, token=caught) == ("PERMISSION_DENIED", "TOKEN_OF_ANOTHER")


@pytest.mark.parametrize("operation", [*MACHINES, *ELSEWHERE])
async def test_what_the_table_does_not_name_is_not_reached_by_anybody(operation: str, edge: EdgeRig, page: Browser) -> None:
    for roles in (("operations",), ("operations", "operations-read", "unmask", "ledger-keeper")):
        assert await refused(edge, page, operation, token=token(edge, *roles)) == ("PERMISSION_DENIED", "NOT_ROUTED")
    assert (await refused(edge, page, operation))[1] == "NOT_ROUTED"


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_form_of_another_site_can_send_is_no_call(kind: str, edge: EdgeRig, page: Browser) -> None:
    before = edge.far.calls.total()
    answer = await page.call(READ, token=token(edge, "operations"), kind=kind)
    assert answer.http_status == 403
    assert edge.far.calls.total() == before


async def test_the_operator_is_named_from_the_token_and_as_the_consumer_console(edge: EdgeRig, page: Browser) -> None:
    edge.far.metadata.clear()
    await page.call(WRITE, token=token(edge, "operations", user="a.lex_1-2"), headers={"cookie": "session=1"})
    (seen,) = edge.far.metadata
    assert seen["x-metip-operator"] == "sso://token-issuer.metip.local/a.lex_1-2"
    assert seen["x-forwarded-client-cert"] == f"URI={CONSOLE}"
    assert seen["x-metip-purposes"] == "*"
    assert "cookie" not in seen


@pytest.mark.parametrize("header", FORGEABLE)
async def test_what_only_envoy_may_say_never_comes_from_a_browser(header: str, edge: EdgeRig, page: Browser) -> None:
    edge.far.metadata.clear()
    await page.call(WRITE, token=token(edge, "operations"), headers={header: "7777777"})
    (seen,) = edge.far.metadata
    assert "7777777" not in seen.get(header, "")


@pytest.mark.parametrize("header", ["x-metip-operator", "x-forwarded-client-cert", "x-metip-officer"])
async def test_nobody_acts_in_another_name(header: str, edge: EdgeRig, page: Browser) -> None:
    edge.far.metadata.clear()
    forged = {"x-metip-operator": "sso://token-issuer.metip.local/mallory", "x-metip-officer": "eyJzdWIiOiJtYWxsb3J5In0"}
    await page.call(WRITE, token=token(edge, "operations"), headers={header: forged.get(header, "URI=spiffe://metip.local/hub")})
    (seen,) = edge.far.metadata
    assert seen["x-metip-operator"] == "sso://token-issuer.metip.local/alex"
    assert seen["x-forwarded-client-cert"] == f"URI={CONSOLE}"
    assert "mallory" not in seen["x-metip-officer"]


async def test_the_page_comes_with_a_policy_that_lets_nothing_in_from_elsewhere(page: Browser) -> None:
    answer = await page.get("/")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(one.strip().partition(" ")[::2] for one in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert {policy[one] for one in ("script-src", "style-src", "connect-src", "img-src", "font-src")} == {"'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/estate", "/interfaces/metip.example.v1.ExampleService", "/messages?state=parked", "/ledger/42"])
async def test_a_deep_link_opens_the_page(path: str, page: Browser) -> None:
    assert (await page.get(path)).body == (await page.get("/")).body


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/assets/../../serving.py",
        "/assets/%2e%2e/%2e%2e/serving.py",
        "/....//serving.py",
        "/assets/",
        "/assets",
        "/assets/no-such-file.js",
        "/serving.py",
        "/.env",
        "/robots.txt",
        "/metip.hub.v1.MeshService/GetMesh",
    ],
)
async def test_no_path_leads_out_of_the_folder_and_none_lists_it(path: str, page: Browser) -> None:
    answer = await page.get(path)
    assert answer.status in (400, 404), answer.body
    assert not any(one in answer.body for one in (b"root:", b"import ", b"index.html"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
async def test_files_are_got_and_nothing_else(method: str, page: Browser) -> None:
    assert (await page.get("/", method=method)).status in (400, 403, 404, 405)


async def test_a_call_is_a_line_of_the_consoles_own_log_and_none_of_the_edges(edge: EdgeRig, page: Browser) -> None:
    assert edge.console is not None
    before = len(await edge.lines())
    await page.call(READ, token=token(edge, "operations"))
    assert len(await edge.lines()) == before, "reconciliation reads that one against the journals"
    lines = Path(edge.console.access_log).read_text(encoding="utf-8")
    assert READ in lines
    assert "eyJ" not in lines, "no token is in it"


async def test_connections_past_the_consoles_own_limit_are_closed_and_consumers_do_not_notice(edge: EdgeRig, page: Browser) -> None:
    assert edge.console is not None
    opened = await asyncio.gather(*(_connected(edge, edge.console.port) for _ in range(CONNECTIONS + 40)))
    try:
        assert 0 < sum(one is not None for one in opened) <= CONNECTIONS
        assert await edge.status(edge.channel(), within=30) == "OK"  # a full machine is long about a thousand handshakes
    finally:
        for one in opened:
            if one is not None:
                one.close()


async def _connected(edge: EdgeRig, port: int) -> asyncio.StreamWriter | None:
    """A connection that is set up; None where it was closed before."""
    context = ssl.create_default_context(cafile=str(edge.store.ca_certificate))
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    except OSError:
        return None
    return writer
