"""The door with TLS: the CJS Exchange gets in by its certificate, and nobody else does."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives import serialization

from hub.identity.authority import Authority, new_authority, new_key, sign_leaf
from hub.identity.spiffe import parse_workload_id
from metip.settings import SettingsError
from tests.adapters.libra.court_rig import court_rig
from tests.adapters.libra.samples import sample_case

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Party:
    """Files of one side: its certificate and key, and who signed."""

    certificate: Path
    key: Path
    authority: Path

    def shown(self, trusting: Path) -> ssl.SSLContext:
        """What a client shows that trusts an authority."""
        context = ssl.create_default_context(cafile=trusting)
        context.load_cert_chain(self.certificate, self.key)
        return context


def party(folder: Path, authority: Authority, name: str) -> Party:
    key = new_key()
    workload = parse_workload_id(f"spiffe://cjs.test/{name}")
    leaf = sign_leaf(authority, workload, key.public_key(), now=NOW, lifetime=timedelta(hours=1), addresses=("127.0.0.1",))
    folder.mkdir(exist_ok=True)
    made = Party(folder / "certificate.pem", folder / "key.pem", folder / "authority.pem")
    made.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    made.authority.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    return made


def settings(door: Party, clients: Party) -> dict[str, Any]:
    files = {"certificate_file": str(door.certificate), "key_file": str(door.key), "client_authority_file": str(clients.authority)}
    return {"listen_tls": files}


async def test_the_exchange_delivers_under_its_certificate_and_nobody_else_does(tmp_path: Path) -> None:
    ours, theirs, strangers = (new_authority("cjs.test", now=NOW) for _ in range(3))
    door, exchange = party(tmp_path / "ours", ours, "adapter/libra"), party(tmp_path / "theirs", theirs, "adapter/cjse")
    stranger = party(tmp_path / "strangers", strangers, "adapter/cjse")
    async with court_rig(tmp_path, tls=exchange.shown(door.authority), **settings(door, exchange)) as rig:
        await rig.submit(sample_case())
        assert rig.simulator.courier.address.startswith("https://")
        await rig.exchange.until(lambda: bool(rig.exchange.results))
        delivered = rig.simulator.courier.deliveries[-1].body
        assert (await rig.push(delivered, exchange.shown(door.authority)))[0] == 200
        before = rig.exchange.handed_over
        for shown in (stranger.shown(door.authority), ssl.create_default_context(cafile=door.authority)):
            with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
                await rig.push(delivered, shown)
        assert rig.exchange.handed_over == before


async def test_files_that_can_not_be_used_are_told_at_the_start_without_their_names(tmp_path: Path) -> None:
    ours = new_authority("cjs.test", now=NOW)
    door = party(tmp_path / "ours", ours, "adapter/libra")
    door.key.write_text("no key")
    with pytest.raises(SettingsError, match=r"^listen_tls: can't be used") as told:
        async with court_rig(tmp_path, **settings(door, door)):
            pytest.fail("it started")
    assert str(tmp_path) not in str(told.value)
