"""A REST service under tokens by client assertion, on real HTTPS: who is let in, when tokens are renewed, whom we trust, and doubt."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from adapters.kit.errands import errand
from adapters.kit.http import HttpAnswer
from adapters.kit.keys import KeyPair, client_context, read_pair, self_signed
from adapters.kit.oauth import Client, assertion
from adapters.kit.posting import PostingClient
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.identity import PATH, Identity
from adapters.kit.tls import is_local
from metip.adapter.v1.rest_pb2 import ClientLogon
from metip.adapter.v1.settings_pb2 import Upstream
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.settings import SettingsError

pytestmark = pytest.mark.asyncio
LOG = Log(open("/dev/null", "w"))  # noqa: SIM115, PTH123 - for the whole module


class Service:
    """Answers with what it was sent, for a good token."""

    def __init__(self, identity: Identity) -> None:
        self.identity, self.tokens, self.done = identity, 0, 0
        self.dials = Dials({}, seed=1)
        self.transport = Http(self.answer, tls=self_signed().server_context())

    async def answer(self, request: HttpRequest) -> HttpReply:
        if request.path == PATH:
            self.tokens += 1
            return self.identity.answer(request)
        if not self.identity.knows(request.headers):
            return HttpReply(b"", status=401)
        self.done += 1
        return HttpReply(request.body)


def written(folder: Path, pair: KeyPair) -> ClientLogon:
    """A pair as files."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    key.write_bytes(pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(pair.certificate.public_bytes(Encoding.PEM))
    return ClientLogon(key_file=str(key), certificate_file=str(certificate))


@asynccontextmanager
async def running(service: Service, logon: ClientLogon | None = None) -> AsyncIterator[PostingClient]:
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(service.transport.listening("127.0.0.1", 0, service.dials))
        yield await stack.enter_async_context(PostingClient.connected(Upstream(address=address), logon or ClientLogon(), LOG))


def judge(answer: HttpAnswer) -> bytes | Fault:
    return answer.body if answer.status == 200 else Fault(Reason.UPSTREAM_REFUSED, "no")


async def post(client: PostingClient, **more: Any) -> bytes:
    return await client.post("/echo", b"{}", {"X": "1"}, errand("test", within=5), judge, **more)


async def refused(client: PostingClient, **more: Any) -> Reason:
    with pytest.raises(Fault) as told:
        await post(client, **more)
    return told.value.reason


async def test_one_token_serves_many_requests() -> None:
    service = Service(Identity())
    async with running(service) as client:
        assert [await post(client) for _ in range(3)] == [b"{}"] * 3
    assert (service.tokens, service.done) == (1, 3)


async def test_a_token_that_is_no_longer_taken_is_renewed_and_the_request_made_once_more() -> None:
    service = Service(Identity())
    async with running(service) as client:
        await post(client, write_once=True)
        service.identity.take_back()
        assert await post(client, write_once=True) == b"{}"
    assert (service.tokens, service.done) == (2, 2)


async def test_a_client_that_the_identity_service_does_not_know_gets_no_token(tmp_path: Path) -> None:
    known = self_signed()
    self_signed.cache_clear()
    service = Service(Identity(known.certificate))
    async with running(service) as client:
        assert await refused(client, write_once=True) is Reason.UPSTREAM_UNAVAILABLE
    async with running(service, written(tmp_path, known)) as client:
        assert await post(client) == b"{}"


async def test_a_key_that_is_replaced_is_used_without_a_restart(tmp_path: Path) -> None:
    self_signed.cache_clear()
    old, service = self_signed(), Service(Identity())
    self_signed.cache_clear()
    new = self_signed()
    logon = written(tmp_path, old)
    service.identity = Identity(new.certificate)
    async with running(service, logon) as client:
        assert await refused(client) is Reason.UPSTREAM_UNAVAILABLE
        written(tmp_path, new)
        assert await post(client) == b"{}"


@pytest.mark.parametrize(("dial", "reason"), [("drop", Reason.IN_DOUBT), ("truncate", Reason.IN_DOUBT)])
async def test_what_was_lost_on_the_way_back_is_in_doubt(dial: str, reason: Reason) -> None:
    service = Service(Identity())
    async with running(service) as client:
        await post(client)
        service.dials.set([Dial(dial)])
        assert await refused(client, write_once=True) is reason
        assert await refused(client) is Reason.UPSTREAM_UNAVAILABLE


async def test_a_token_that_does_not_come_says_that_nothing_was_done() -> None:
    service = Service(Identity())
    service.dials.set([Dial("garbage")])
    async with running(service) as client:
        assert await refused(client, write_once=True) is Reason.UPSTREAM_UNAVAILABLE
    assert service.done == 0


async def test_an_assertion_is_taken_once_for_its_own_audience_and_not_for_long() -> None:
    pair, client = self_signed(), Client("one", f"https://here{PATH}", shows_certificate=True)

    def asked(said: str, client_id: str = "one") -> int:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_assertion": said}
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        return service.answer(HttpRequest("POST", PATH, {"Host": "here"}, body)).status

    service, now = Identity(), time.time()
    said = assertion(client, pair, now=now)
    assert [asked(said), asked(said)] == [200, 400]
    assert asked(assertion(client, pair, now=now - 3600)) == 400
    assert asked(assertion(replace(client, audience="https://there"), pair, now=now)) == 400
    assert asked(assertion(replace(client, id="two"), pair, now=now)) == 400
    head = jwt.get_unverified_header(said)
    self_signed.cache_clear()
    claims = json.loads(json.dumps(jwt.decode(said, options={"verify_signature": False})))
    forged = jwt.encode({**claims, "jti": "other"}, self_signed().key, algorithm="RS256", headers={"x5t": head["x5t"], "x5c": head["x5c"]})
    assert asked(forged) == 400
    assert asked("nothing") == 400


BAD: dict[str, tuple[str, ClientLogon]] = {
    "no TLS": ("http://127.0.0.1:1", ClientLogon()),
    "no key elsewhere": ("https://leds.example", ClientLogon()),
    "no key for a token elsewhere": ("https://127.0.0.1:1", ClientLogon(token_url="https://niam.example/token")),
    "no such file": ("https://leds.example", ClientLogon(key_file="/nowhere/key.pem", certificate_file="/nowhere/cert.pem")),
    "no such authority": ("https://127.0.0.1:1", ClientLogon(authority_file="/nowhere/ca.pem")),
}


@pytest.mark.parametrize(("address", "logon"), BAD.values(), ids=BAD)
async def test_settings_that_cannot_work_are_refused_at_the_start(address: str, logon: ClientLogon) -> None:
    with pytest.raises(SettingsError):
        async with PostingClient.connected(Upstream(address=address), logon, LOG):
            pass


async def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    self_signed.cache_clear()
    logon = written(tmp_path, self_signed())
    self_signed.cache_clear()
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", self_signed())
    Path(logon.key_file).write_bytes(Path(other.key_file).read_bytes())
    assert load_pem_private_key(Path(logon.key_file).read_bytes(), None)
    with pytest.raises(ValueError, match="certificate"):
        read_pair(logon.key_file, logon.certificate_file)


async def test_a_far_system_that_nobody_vouches_for_is_trusted_on_this_machine_only(tmp_path: Path) -> None:
    self_signed.cache_clear()
    stranger = self_signed()
    (tmp_path / "ca.pem").write_bytes(stranger.certificate.public_bytes(Encoding.PEM))
    self_signed.cache_clear()
    service = Service(Identity())
    async with running(service, ClientLogon(authority_file=str(tmp_path / "ca.pem"))) as client:
        assert await refused(client, write_once=True) is Reason.UPSTREAM_UNAVAILABLE
    assert service.tokens == service.done == 0
    assert client_context("https://leds.example", "").check_hostname
    assert [is_local(one) for one in ("https://127.0.0.1:1", "https://localhost", "https://[::1]:1", "https://leds.example")] == [
        True,
        True,
        True,
        False,
    ]
