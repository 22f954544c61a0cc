"""The door with TLS: the CJS Exchange gets in by its certificate, and nobody else does."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.kit.tls import Credentials, write_certificates
from metip.settings import SettingsError
from tests.adapters.libra.court_rig import court_rig
from tests.adapters.libra.samples import sample_case

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXCHANGE = "cjse.test"


def files(folder: Path, authority: ec.EllipticCurvePrivateKey, name: str) -> Path:
    folder.mkdir()
    write_certificates(folder, authority, name)
    return folder


def shown(folder: Path) -> ssl.SSLContext:
    """What somebody shows whose files these are."""
    return Credentials(folder / "cert.pem", folder / "key.pem", folder / "ca.pem").client


def settings(folder: Path, *peers: str) -> dict[str, Any]:
    named = {"certificate_file": "cert.pem", "key_file": "key.pem", "authority_file": "ca.pem"}
    return {"tls": {**{setting: str(folder / name) for setting, name in named.items()}, "peers": peers}}


async def test_the_exchange_delivers_under_its_certificate_and_nobody_else_does(tmp_path: Path) -> None:
    authority, another = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    door, exchange = files(tmp_path / "door", authority, "force.test"), files(tmp_path / "exchange", authority, EXCHANGE)
    neighbour, stranger = files(tmp_path / "neighbour", authority, "other.test"), files(tmp_path / "stranger", another, EXCHANGE)
    async with court_rig(tmp_path, shown=shown(exchange), **settings(door, EXCHANGE)) as rig:
        await rig.submit(sample_case())
        assert rig.simulator.courier.address.startswith("https://")
        await rig.exchange.until(lambda: bool(rig.exchange.results))
        delivered = rig.simulator.courier.deliveries[-1].body
        assert (await rig.push(delivered, shown(exchange)))[0] == 200
        before = rig.exchange.handed_over
        assert (await rig.push(delivered, shown(neighbour)))[0] == 403
        for nobody in (shown(stranger), ssl.create_default_context(cafile=str(door / "ca.pem"))):
            with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
                await rig.push(delivered, nobody)
        assert rig.exchange.handed_over == before


async def test_files_that_can_not_be_used_are_told_at_the_start(tmp_path: Path) -> None:
    door = files(tmp_path / "door", ec.generate_private_key(ec.SECP256R1()), "force.test")
    (door / "key.pem").write_text("no key")
    with pytest.raises(SettingsError, match=r"^tls: the files can't be used"):
        async with court_rig(tmp_path, **settings(door)):
            pytest.fail("it started")
