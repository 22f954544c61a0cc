"""Signing in with OpenID Connect, on the real Envoy with an issuer of the test's own: the whole code flow, up to a call that is answered,
and what another site can't do with the session that comes of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http.cookies import Morsel
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from browsers import Browser, browser
from edge_rig import EdgeRig, running_edge
from free_ports import free_ports
from openid_provider import AUDIENCE, CLIENT, Provider, running_provider

from hub.identity import Store, issue
from hub.mesh.inputs import Console, SignIn

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ, WRITE = "metip.hub.v1.MeshService/GetMesh", "metip.traffic.v1.TrafficService/ChangeTraffic"


class Ground(NamedTuple):
    """An edge whose console signs people in, and the issuer."""

    edge: EdgeRig
    provider: Provider
    address: str

    @property
    def port(self) -> int:
        """The console's."""
        assert self.edge.console is not None
        return self.edge.console.port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground() -> AsyncIterator[Ground]:
    """Both, running."""
    own, others = free_ports(2)
    provider, address = Provider(others), f"https://localhost:{own}"
    async with AsyncExitStack() as stack:

        def console(directory: Path, store: Store) -> Console:
            sign_in = SignIn(
                issuer=provider.issuer,
                authorization_endpoint=f"{provider.issuer}/authorize",
                token_endpoint=f"{provider.issuer}/token",
                keys_endpoint=f"{provider.issuer}/keys",
                end_session_endpoint="",
                client_id=CLIENT,
                client_secret=provider.client_secret,
                cookie_secret="0123456789abcdef0123456789abcdef",
                authority=store.ca_certificate.read_text(),
                audience=AUDIENCE,
                address=address,
            )
            return Console(own, f"{directory}/far-0.sock", f"{directory}/console.sock", f"{directory}/console.log", sign_in=sign_in)

        edge = await stack.enter_async_context(running_edge(console=console, beside=lambda store: _issuer(stack, provider, store)))
        yield Ground(edge, provider, address)


async def _issuer(stack: AsyncExitStack, provider: Provider, store: Store) -> None:
    issue(store, "spiffe://metip.local/consumer/issuer", name="issuer", dns=("localhost",))
    await stack.enter_async_context(running_provider(provider, store.certificate("issuer"), store.key("issuer")))


@pytest_asyncio.fixture(loop_scope="module")
async def page(ground: Ground) -> AsyncIterator[Browser]:
    """A browser without any cookie."""
    async with browser(ground.port, ground.edge.store.ca_certificate) as found:
        yield found


async def signed_in(page: Browser, path: str = "/estate?state=parked") -> list[str]:
    """Follows the flow from a page to the same page; the places on the way."""
    places, here = list[str](), path
    for _ in range(6):
        answer = await page.get(here)
        if answer.status != 302:
            assert answer.status == 200, answer.body
            return places
        here = answer.headers["location"]
        places.append(here)
    raise AssertionError(f"no end of it: {places}")


def own(ground: Ground) -> dict[str, str]:
    """What a browser adds to a call of the console's own page."""
    return {"origin": ground.address}


def cookies(page: Browser) -> "list[Morsel[str]]":
    """What the browser holds."""
    jar: Any = page.session.cookie_jar
    return list(jar)


async def test_whoever_is_not_signed_in_is_sent_to_the_issuer_and_comes_back_to_where_they_were(ground: Ground, page: Browser) -> None:
    places = await signed_in(page)
    first = urlsplit(places[0])
    asked = {name: one[0] for name, one in parse_qs(first.query).items()}
    assert f"{first.scheme}://{first.netloc}{first.path}" == f"{ground.provider.issuer}/authorize"
    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
    assert asked["redirect_uri"] == f"{ground.address}/signed-in"
    assert urlsplit(places[1]).path == "/signed-in"
    assert places[2] == f"{ground.address}/estate?state=parked"
    assert ground.provider.asked[-1] == "authorization_code"


async def test_a_call_of_somebody_signed_in_is_answered_and_names_them(ground: Ground, page: Browser) -> None:
    await signed_in(page)
    ground.edge.far.metadata.clear()
    answer = await page.call(WRITE, headers=own(ground))
    assert answer.status == "OK", answer
    (seen,) = ground.edge.far.metadata
    assert seen["x-metip-operator"] == "sso://localhost/f81d4fae"
    assert "cookie" not in seen


async def test_roles_come_from_the_issuer(ground: Ground, page: Browser) -> None:
    ground.provider.roles = ("operations-read",)
    try:
        await signed_in(page)
        assert (await page.call(READ, headers=own(ground))).status == "OK"
        assert (await page.call(WRITE, headers=own(ground))).reason == "ROLE_NEEDED"
    finally:
        ground.provider.roles = ("operations",)


async def test_no_script_reads_the_session_and_no_other_site_sends_it_along(ground: Ground, page: Browser) -> None:
    await signed_in(page)
    found = {one.key: one for one in cookies(page)}
    assert {"BearerToken", "OauthHMAC", "OauthExpires"} <= set(found)
    for one in found.values():
        assert (bool(one["httponly"]), bool(one["secure"]), one["samesite"].lower()) == (True, True, "lax"), one.key
        assert not one["domain"] or one["domain"] == "localhost"
    assert found["BearerToken"].value.startswith("gcm."), "sealed so that nobody can change it, or find out by asking what is in it"


FOREIGN = ("https://evil.example", "null", "http://localhost", "https://localhost:1", "https://localhost.evil.example", "")


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_site_can_make_no_call_with_the_session(origin: str, ground: Ground, page: Browser) -> None:
    await signed_in(page)
    before = ground.edge.far.calls.total()
    answer = await page.call(WRITE, headers={"origin": origin} if origin else {})
    assert (answer.status, answer.reason) == ("PERMISSION_DENIED", "FOREIGN_ORIGIN")
    assert ground.edge.far.calls.total() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_is_no_call_even_from_the_consoles_own_page(kind: str, ground: Ground, page: Browser) -> None:
    await signed_in(page)
    before = ground.edge.far.calls.total()
    assert (await page.call(WRITE, kind=kind, headers=own(ground))).http_status in (403, 404)
    assert ground.edge.far.calls.total() == before


async def test_a_call_without_a_session_is_refused_and_not_sent_to_a_page_for_people(ground: Ground, page: Browser) -> None:
    answer = await page.call(READ, headers=own(ground))
    assert (answer.status, answer.reason) == ("UNAUTHENTICATED", "SIGN_IN_NEEDED")


async def test_a_token_that_a_browser_brings_itself_is_no_session(ground: Ground, page: Browser) -> None:
    answer = await page.call(READ, token=ground.provider.token(), headers=own(ground))
    assert (answer.status, answer.reason) == ("UNAUTHENTICATED", "SIGN_IN_NEEDED")


@pytest.mark.parametrize("name", ["BearerToken", "OauthHMAC", "OauthExpires"])
async def test_a_session_that_was_tampered_with_is_none(name: str, ground: Ground, page: Browser) -> None:
    await signed_in(page)
    changed = {one.key: ("1" + one.value if one.key == name else one.value) for one in cookies(page)}
    async with browser(ground.port, ground.edge.store.ca_certificate) as another:
        said = "; ".join(f"{key}={value}" for key, value in changed.items())
        answer = await another.call(READ, headers={"origin": ground.address, "cookie": said})
    assert answer.status == "UNAUTHENTICATED"


ODD = ({"iss": "https://elsewhere.example"}, {"aud": "another"}, {"exp": 1}, {"sub": "a/../b"}, {"sub": "a b"})


@pytest.mark.parametrize("claims", ODD)
async def test_what_the_issuer_gave_for_something_else_opens_nothing(claims: dict[str, Any], ground: Ground, page: Browser) -> None:
    ground.provider.odd = claims
    try:
        await signed_in(page)
        assert (await page.call(READ, headers=own(ground))).status in ("UNAUTHENTICATED", "PERMISSION_DENIED")
    finally:
        ground.provider.odd = {}


async def test_a_code_that_somebody_else_caught_signs_nobody_in(ground: Ground, page: Browser) -> None:
    started = await page.get("/")
    back = (await page.get(started.headers["location"])).headers["location"]
    async with browser(ground.port, ground.edge.store.ca_certificate) as thief:
        answer = await thief.get(back)
        assert answer.status in (302, 401)
        assert (await thief.call(READ, headers=own(ground))).status == "UNAUTHENTICATED"


async def test_signing_out_ends_the_session(ground: Ground, page: Browser) -> None:
    await signed_in(page)
    assert (await page.get("/sign-out")).status == 302
    assert (await page.call(READ, headers=own(ground))).reason == "SIGN_IN_NEEDED"
