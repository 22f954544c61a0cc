"""Certificates on both sides: what is trusted, what is needed where, and that a new file is shown without a restart."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.kit.tls import Credentials, is_local, names_in, write_certificates
from metip.adapter.v1.tls_pb2 import Tls
from metip.settings import SettingsError


def handshake(client: Credentials, server: Credentials, name: str = "127.0.0.1") -> ssl.SSLObject:
    """A whole handshake in memory; the server's side of it, from which the client's certificate can be read."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.client.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server.server.wrap_bio(to_server, to_client, server_side=True)
    done: set[str] = set()
    for _ in range(6):
        for side, one in (("client", asking), ("server", answering)):
            try:
                one.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    assert done == {"client", "server"}
    return answering


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Certificates of two names, signed by one authority."""
    authority = ec.generate_private_key(ec.SECP256R1())
    found = tmp_path / "one", tmp_path / "two"
    for folder in found:
        folder.mkdir()
        write_certificates(folder, authority, f"{folder.name}.test")
    return found


def of(folder: Path) -> Credentials:
    """Credentials of a folder."""
    return Credentials(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")


def test_each_side_sees_who_the_other_is(folders: tuple[Path, Path]) -> None:
    one, two = map(of, folders)
    assert names_in(handshake(one, two).getpeercert()) == {"one.test"}


def test_whoever_another_authority_signed_is_refused(folders: tuple[Path, Path]) -> None:
    one, stranger = of(folders[0]), Credentials.everybodys()
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(one, stranger)
    with pytest.raises(ssl.SSLError):
        handshake(stranger, one)


def test_a_certificate_of_another_address_is_refused(folders: tuple[Path, Path]) -> None:
    one, two = map(of, folders)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(one, two, "10.0.0.1")


def test_without_files_everybody_on_this_machine_knows_everybody() -> None:
    handshake(Credentials.everybodys(), Credentials.everybodys())


def test_keys_are_for_their_owner_only(folders: tuple[Path, Path]) -> None:
    assert (folders[0] / "key.pem").stat().st_mode & 0o077 == 0


def test_a_new_certificate_is_shown_without_a_restart(folders: tuple[Path, Path], tmp_path: Path) -> None:
    one, two = of(folders[0]), of(folders[1])
    for name in ("cert.pem", "key.pem"):
        (folders[0] / name).write_bytes((folders[1] / name).read_bytes())
    assert names_in(handshake(one, two).getpeercert()) == {"one.test"}
    one.refresh()
    assert names_in(handshake(one, two).getpeercert()) == {"two.test"}


def test_a_file_that_is_gone_or_half_written_changes_nothing(folders: tuple[Path, Path]) -> None:
    one, two = of(folders[0]), of(folders[1])
    (folders[0] / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    one.refresh()
    (folders[0] / "key.pem").unlink()
    one.refresh()
    assert names_in(handshake(one, two).getpeercert()) == {"one.test"}


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:1", True),
        ("https://localhost:1/a", True),
        ("https://[::1]:1", True),
        ("10.0.0.1:1", False),
        ("https://hub.test", False),
        ("localhost.evil.test:1", False),
    ],
)
def test_which_addresses_are_this_machines(address: str, local: bool) -> None:
    assert is_local(address) is local


def test_without_files_no_other_machine_is_spoken_to() -> None:
    Credentials.of(Tls(), {"upstream.address": "https://127.0.0.1:1", "listen": "localhost:1"})
    with pytest.raises(SettingsError) as told:
        Credentials.of(Tls(), {"upstream.address": "https://127.0.0.1:1", "listen": "0.0.0.0:1"})
    assert told.value.problems[0].startswith("listen:")


def test_files_that_can_not_be_used_are_a_setting_that_can_not(folders: tuple[Path, Path]) -> None:
    files = {
        name: str(folders[0] / f"{path}.pem")
        for name, path in (("certificate_file", "cert"), ("key_file", "key"), ("authority_file", "ca"))
    }
    Credentials.of(Tls(**files), {"listen": "0.0.0.0:1"})
    (folders[0] / "key.pem").write_text("none")
    with pytest.raises(SettingsError):
        Credentials.of(Tls(**files), {})
    with pytest.raises(SettingsError):
        Credentials.of(Tls(**{**files, "certificate_file": "/nowhere"}), {})
