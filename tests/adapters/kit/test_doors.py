"""A listener for far systems, on real sockets."""

from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.kit.doors import LARGEST_REQUEST, listening
from adapters.kit.http import HttpAnswer
from adapters.kit.tls import Credentials, write_certificates

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def answer(document: bytes) -> HttpAnswer:
    return HttpAnswer(202, b"<" + document + b"/>")


async def test_what_is_posted_to_any_path_is_answered_and_nobody_is_there_after_the_block() -> None:
    async with aiohttp.ClientSession() as http:
        async with listening(answer, "127.0.0.1:0") as address:
            async with http.post(f"{address}/any/path", data=b"a") as response:
                assert (response.status, await response.read(), response.content_type) == (202, b"<a/>", "text/xml")
            async with http.get(address) as response:
                assert response.status == 405
            async with http.post(address, data=BytesIO(b"a" * (LARGEST_REQUEST + 1))) as response:
                assert response.status == 413
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.post(address, data=b"a")


async def test_over_tls_those_come_in_whom_the_authority_signed_and_who_are_named(tmp_path: Path) -> None:
    authority = ec.generate_private_key(ec.SECP256R1())
    shown = {}
    for name in ("door.test", "one.test", "two.test"):
        (tmp_path / name).mkdir()
        write_certificates(tmp_path / name, authority, name)
        shown[name] = Credentials(tmp_path / name / "cert.pem", tmp_path / name / "key.pem", tmp_path / name / "ca.pem")
    async with aiohttp.ClientSession() as http:
        for peers, statuses in (((), (202, 202)), (("one.test",), (202, 403))):
            async with listening(answer, "127.0.0.1:0", credentials=shown["door.test"], peers=peers) as address:
                assert address.startswith("https://")
                for name, status in zip(("one.test", "two.test"), statuses, strict=True):
                    async with http.post(address, data=b"a", ssl=shown[name].client) as response:
                        assert response.status == status
