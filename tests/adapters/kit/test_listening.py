"""A door of an adapter's own: it takes what is posted to its path, from whom it should, and no more than it can hold."""

import io
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.kit.listening import Door
from adapters.kit.tls import Credentials, write_certificates

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def taken(body: bytes) -> int:
    """Answers by what is in the body."""
    return int(body or b"202")


async def asked(url: str, credentials: Credentials, method: str = "POST", body: bytes | io.BytesIO = b"") -> int:
    """One request; its status."""
    async with aiohttp.ClientSession() as http, http.request(method, url, data=body, ssl=credentials.client) as response:
        return response.status


async def test_what_is_posted_to_the_path_is_answered_with_the_status_that_was_said() -> None:
    own = Credentials.everybodys()
    async with Door("/in", taken, own).open("127.0.0.1", 0) as url:
        assert url.startswith("https://127.0.0.1:")
        assert [await asked(url, own, body=said) for said in (b"202", b"503", b"400")] == [202, 503, 400]
        assert await asked(url, own, method="GET") == 405
        assert await asked(f"{url}/other", own) == 404


async def test_a_body_that_is_too_large_is_refused() -> None:
    own = Credentials.everybodys()
    async with Door("/in", taken, own, largest=10).open("127.0.0.1", 0) as url:
        assert await asked(url, own, body=io.BytesIO(b"2" * 11)) == 413


async def test_only_named_peers_come_in(tmp_path: Path) -> None:
    authority = ec.generate_private_key(ec.SECP256R1())
    known = []
    for name in ("own.test", "hub.test", "other.test"):
        folder = tmp_path / name
        folder.mkdir()
        write_certificates(folder, authority, name)
        known.append(Credentials(folder / "cert.pem", folder / "key.pem", folder / "ca.pem"))
    own, hub, other = known
    async with Door("/in", taken, own, peers=("hub.test",)).open("127.0.0.1", 0) as url:
        assert (await asked(url, hub), await asked(url, other)) == (202, 403)
        with pytest.raises(aiohttp.ClientError):
            await asked(url, Credentials.everybodys())


async def test_a_port_that_is_taken_is_said() -> None:
    own = Credentials.everybodys()
    async with Door("/in", taken, own).open("127.0.0.1", 0) as url:
        port = int(url.split(":")[2].partition("/")[0])
        with pytest.raises(OSError, match="in use"):
            async with Door("/in", taken, own).open("127.0.0.1", port):
                pass
