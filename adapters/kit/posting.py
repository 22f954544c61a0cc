"""JSON over HTTPS under bearer tokens by client assertion: the way to a REST service, with every failure of the network as a fault."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final, Self, TypeVar

from adapters.kit.http import HttpAnswer, HttpClient
from adapters.kit.keys import client_context, read_pair, self_signed
from adapters.kit.oauth import Client, Tokens
from adapters.kit.tls import is_local
from adapters.kit.upstream import Limits
from metip.adapter.v1.rest_pb2 import ClientLogon
from metip.adapter.v1.settings_pb2 import Upstream
from metip.call import Call
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.settings import SettingsError

T = TypeVar("T")
UNAUTHORISED: Final = 401


class PostingClient:
    """Posts to one base URL."""

    def __init__(self, http: HttpClient, tokens: Tokens) -> None:
        self._http, self._tokens = http, tokens

    @classmethod
    @asynccontextmanager
    async def connected(cls, upstream: Upstream, logon: ClientLogon, log: Log) -> AsyncIterator[Self]:
        """The way for the length of the block. Raises `SettingsError` for an address or a file that can't be used."""
        limits, own = Limits.of(upstream), not logon.key_file
        url = logon.token_url or f"{limits.address}/oauth2/token"
        if not limits.address.startswith("https://"):
            raise SettingsError("upstream.address", ("must begin with https://",))
        if own and not (is_local(limits.address) and is_local(url)):
            raise SettingsError("logon.key_file", ("is needed, except at this machine's own addresses",))
        pair = self_signed if own else partial(read_pair, logon.key_file, logon.certificate_file)
        try:
            pair()
            tls, token_tls = (client_context(one, logon.authority_file) for one in (limits.address, url))
        except (OSError, ValueError) as error:
            raise SettingsError("logon", (f"has a file that can't be used ({type(error).__name__})",)) from None
        client = Client(logon.client_id or "metip-hub", url, logon.scope, shows_certificate=own)
        async with (
            HttpClient.connected(limits, log, tls=tls) as http,
            HttpClient.connected(replace(limits, address=url), log, tls=token_tls) as identity,
        ):
            yield cls(http, Tokens(identity, client, pair))

    async def post(
        self,
        path: str,
        data: bytes,
        headers: Mapping[str, str],
        call: Call,
        judge: Callable[[HttpAnswer], T | Fault],
        *,
        write_once: bool = False,
    ) -> T:
        """What `judge` makes of the answer: it raises a `Fault` that counts against the service, and gives one that does not.
        Raises `Fault`: those, and what the guard, network and identity service give.

        Where a token is no longer taken, nothing was done, so the request is made once more with another.
        """
        for _ in range(2):
            token = await self._tokens.bearer(call)
            sent = {**headers, "Accept": "application/json", "Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            async with self._http.guard.admit(call, write_once=write_once) as passage:
                answer = await self._http.exchange("POST", path, passage, headers=sent, data=data)
                refused = Fault(Reason.UPSTREAM_UNAVAILABLE, "the far system does not take the token that the identity service gave")
                outcome = refused if answer.status == UNAUTHORISED else judge(answer)
            if answer.status != UNAUTHORISED:
                break
            self._tokens.refused(token)
        if isinstance(outcome, Fault):
            raise outcome
        return outcome
