"""How the ledger's server is reached: nothing secret in the settings, and no word to a server whose certificate bears another name."""

import asyncio
import datetime
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ledgers import Journal, signer
from postgres import DATABASE, Postgres

from hub.ledger.faults import AwayLedgerError
from hub.ledger.postgres import connecting
from hub.ledger.postgres.connecting import Server
from hub.ledger.postgres.store import PostgresLedger
from metip.hub.v1 import settings_pb2
from metip.settings import SettingsError

GOOD = "[ledger]\nhost=/run/postgresql\ndbname=metip\nuser=metip\n"
REMOTE = "[ledger]\nhost=db1.force.example, db2.force.example\nport=5433\ndbname=metip\nuser=metip\n"
SECRET = "s3cret-of-tests"
DAY = datetime.timedelta(days=1)


def test_a_service_file_says_where_the_server_is(tmp_path: Path) -> None:
    (tmp_path / "ledger.conf").write_text(f"# the ledger\n{GOOD}\n[other]\nhost=/elsewhere\nport=5433\ndbname=d\nuser=u\n")
    said = settings_pb2.Postgres(service_file="ledger.conf")
    assert connecting.read(said, tmp_path) == Server(("/run/postgresql",), (5432,), "metip", "metip")
    said.service = "other"
    assert str(connecting.read(said, tmp_path)) == "u@/elsewhere:5433/d"


REFUSED: dict[str, tuple[str, dict[str, str], str]] = {
    "no such file": ("", {"service_file": "away.conf"}, "can't be read"),
    "no service file": (f"password={SECRET}\n", {}, "is no connection service file"),
    "no such section": (GOOD, {"service": "other"}, r"has no section \[other\]"),
    "a password": (f"{GOOD}password={SECRET}\n", {}, "password belongs in the file that `password_file` names"),
    "a mode of TLS": (f"{GOOD}sslmode=require\n", {}, "sslmode is verify-full always"),
    "an unknown word": (f"{GOOD}options=-c fsync=off\n", {}, "options is no word that is known here"),
    "no user": (GOOD.replace("user=metip\n", ""), {}, "user: is missing"),
    "no host": (GOOD.replace("host=/run/postgresql\n", ""), {}, "host: is missing"),
    "no port": (f"{GOOD}port=x\n", {}, "port: is one number"),
    "a network without an authority": (REMOTE, {}, "authority_file: is needed over a network"),
    "a key without its certificate": (REMOTE, {"authority_file": "a.pem", "key_file": "k.pem"}, "certificate_file: goes with key_file"),
    "a password that others read": (GOOD, {"password_file": "open"}, "is open to other users"),
    "a password of two lines": (GOOD, {"password_file": "long"}, "must hold one line"),
    "an authority that is none": (REMOTE, {"authority_file": "ledger.conf"}, "ledger.postgres"),
}


@pytest.mark.parametrize(("text", "more", "words"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_used_is_refused_without_repeating_a_secret(tmp_path: Path, text: str, more: dict[str, str], words: str) -> None:
    (tmp_path / "ledger.conf").write_text(text)
    for name, content, mode in (("open", SECRET, 0o644), ("long", f"{SECRET}\n{SECRET}\n", 0o600)):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)
    with pytest.raises(SettingsError, match=words) as refused:
        connecting.read(settings_pb2.Postgres(**({"service_file": "ledger.conf"} | more)), tmp_path)
    assert SECRET not in str(refused.value)


def certificate(folder: Path, name: str, *, issuer: str = "") -> Path:
    """A certificate for a name, by itself or by another one of the folder; `<name>.pem` and `<name>.key`."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, by_key = subject, key
    if issuer:
        by = x509.load_pem_x509_certificate((folder / f"{issuer}.pem").read_bytes()).subject
        loaded = serialization.load_pem_private_key((folder / f"{issuer}.key").read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        by_key = loaded
    made = (
        x509.CertificateBuilder(
            by, subject, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(1), now + datetime.timedelta(1)
        )
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=not issuer,
                crl_sign=not issuer,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(by_key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(plain)
    (folder / f"{name}.key").chmod(0o600)
    return folder / f"{name}.pem"


class Front:
    """TLS in front of a server whose build has none, as PostgreSQL speaks it: asked for in eight bytes, answered with an S, then begun."""

    def __init__(self, behind: int, certificate: Path) -> None:
        self._behind, self.versions = behind, list[str]()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._taken, "127.0.0.1", 0), self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Ends it."""
        self._loop.call_soon_threadsafe(self._server.close)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.2), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            assert await reader.readexactly(8) == struct.pack("!ii", 8, 80877103)
            writer.write(b"S")
            await writer.start_tls(self._context)
            self.versions.append(writer.get_extra_info("ssl_object").version())
            inner, outer = await asyncio.open_connection("127.0.0.1", self._behind)
            await asyncio.gather(_passed_on(reader, outer), _passed_on(inner, writer))
        writer.close()


async def _passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def remote() -> Iterator[tuple[Postgres, Path, Front]]:
    """A server on TCP with a certificate for `localhost`, the folder of certificates, and what speaks TLS."""
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        for one, issuer in (("authority", ""), ("stranger", ""), ("localhost", "authority")):
            certificate(folder, one, issuer=issuer)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        server, front = Postgres({"listen_addresses": "127.0.0.1"}, port), Front(port, folder / "localhost.pem")
        yield server, folder, front
        front.close()
        server.stop()


@pytest.fixture
def reached(remote: tuple[Postgres, Path, Front], tmp_path: Path) -> Server:
    """The server as a hub elsewhere reaches it: by name, with a password, under TLS."""
    server, folder, front = remote
    account = server.account()
    server.run(f"alter role {account.user} password '{SECRET}'")
    password = tmp_path / "password"
    password.write_text(f"{SECRET}\n")
    password.chmod(0o600)
    return Server(("localhost",), (front.port,), DATABASE, account.user, password, folder / "authority.pem")


def test_over_a_network_everything_goes_through_tls_that_checks_the_name(reached: Server, remote: tuple[Postgres, Path, Front]) -> None:
    ledger = PostgresLedger(reached, signer())
    assert remote[2].versions == ["TLSv1.3"]
    assert ledger.append(Journal().entries(3)).size == 3
    ledger.close()


def test_a_server_of_another_name_an_unknown_authority_and_a_wrong_password_are_refused(
    reached: Server, remote: tuple[Postgres, Path, Front], tmp_path: Path
) -> None:
    (tmp_path / "wrong").write_text("another")
    (tmp_path / "wrong").chmod(0o600)
    for wrong, words in (
        (replace(reached, hosts=("127.0.0.1",)), "TLS with the ledger's server failed: IP address mismatch"),
        (replace(reached, authority_file=remote[1] / "stranger.pem"), "TLS with the ledger's server failed: .*certificate"),
        (replace(reached, password_file=tmp_path / "wrong"), "the ledger's server says 28P01"),
        (replace(reached, ports=(1,)), "the ledger's server does not answer"),
    ):
        with pytest.raises(AwayLedgerError, match=words) as refused:
            PostgresLedger(wrong, signer())
        assert SECRET not in str(refused.value)
        assert "another" not in str(refused.value)


def test_of_several_servers_the_one_that_answers_as_primary_is_used(reached: Server) -> None:
    ledger = PostgresLedger(replace(reached, hosts=("localhost", "localhost"), ports=(1, *reached.ports)), signer())
    assert ledger.append(Journal().entries(1)).size == 1
    ledger.close()
