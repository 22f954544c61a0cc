"""Which identities a façade takes, which it refuses with all their reasons at once, and who is known by a certificate."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.kit.mutual import spiffe_id_of
from adapters.metip1.facade.__main__ import main
from adapters.metip1.facade.consumers import Consumers
from adapters.metip1.facade.refusals import Refusal
from hub.identity import Store, issue
from metip.settings import SettingsError

DOMAIN = "metip.local"
DESK = f"spiffe://{DOMAIN}/consumer/crime-desk"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An authority, and the identities of a consumer, twice."""
    found = Store(tmp_path / "identity")
    found.ensure(trust_domain=DOMAIN)
    for name in ("desk", "held"):
        issue(found, DESK, name=name)
    return found


def read(store: Store, *names: str) -> Consumers:
    """The consumers of these identities."""
    return Consumers.read([store.folder(name) for name in names], store.ca_certificate, "127.0.0.1:1", "localhost")


def certificate(store: Store, name: str) -> bytes:
    """As TLS gives it."""
    return x509.load_pem_x509_certificate(store.certificate(name).read_bytes()).public_bytes(Encoding.DER)


def test_a_consumer_is_known_by_any_certificate_of_its_name(store: Store) -> None:
    consumers = read(store, "held")
    assert len(consumers) == 1
    for name in ("desk", "held"):
        found = consumers.of(certificate(store, name))
        assert (found.spiffe_id, found.mesh.identity.certificate) == (DESK, store.certificate("held"))


def test_no_certificate_a_strangers_and_nonsense_are_refused(store: Store) -> None:
    issue(store, f"spiffe://{DOMAIN}/consumer/stranger", name="stranger")
    for shown in (None, b"", b"nonsense", certificate(store, "stranger")):
        with pytest.raises(Refusal) as told:
            read(store, "held").of(shown)
        assert (told.value.reason, told.value.status) == ("CONSUMER_UNKNOWN", 403)


def test_a_certificate_that_expired_since_the_connection_was_opened_is_refused(store: Store) -> None:
    issue(store, DESK, name="old", lifetime=timedelta(hours=1), now=datetime.now(UTC) - timedelta(hours=3))
    with pytest.raises(Refusal, match="CONSUMER_UNKNOWN") as told:
        read(store, "held").of(certificate(store, "old"))
    assert "expired" in told.value.text


@pytest.mark.parametrize("path", ["hub", "edge", "adapter/pnc", "facade/soap", "consumers/x"])
def test_an_identity_that_is_no_consumers_is_refused(store: Store, path: str) -> None:
    issue(store, f"spiffe://{DOMAIN}/{path}", name="other")
    with pytest.raises(SettingsError, match=f"spiffe://{DOMAIN}/{path}, which is no consumer"):
        read(store, "other")


def test_every_identity_that_can_not_be_used_is_named_at_once(store: Store) -> None:
    issue(store, f"spiffe://{DOMAIN}/consumer/open", name="open")
    store.key("open").chmod(0o640)
    issue(store, f"spiffe://{DOMAIN}/consumer/mixed", name="mixed")
    store.key("mixed").write_bytes(store.key("desk").read_bytes())
    with pytest.raises(SettingsError) as told:
        read(store, "held", "desk", "open", "mixed", "absent")
    first, second, third, fourth = told.value.problems
    assert "desk names a consumer that another folder names too" in first
    assert "open has a key that is open to other users (mode 0640): chmod 600 it" in second
    assert "mixed can't be used" in third
    assert "absent can't be used: No such file or directory" in fourth


def test_an_authority_is_nobody(store: Store) -> None:
    with pytest.raises(ValueError, match=r"SPIFFE ID|authority"):
        spiffe_id_of(store.authority().certificate)


# The command


@pytest.fixture
def settings(store: Store, tmp_path: Path) -> Path:
    """A file that can be used."""
    issue(store, f"spiffe://{DOMAIN}/facade", name="facade", dns=("localhost",))
    path = tmp_path / "facade.yaml"
    path.write_text(
        "listen: 127.0.0.1:0\nidentity: identity/facade\nauthority: identity/ca.pem\nconsumers: [identity/held]\nedge: 127.0.0.1:1\n"
    )
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command's exit code."""
    monkeypatch.setattr("sys.argv", ["facade", *arguments])
    return main()


def test_settings_are_checked_without_serving(settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--settings", str(settings), "--check") == 0
    assert "1 consumer" in capsys.readouterr().out
    settings.write_text(settings.read_text().replace("held", "facade"))
    assert run(monkeypatch, "--settings", str(settings), "--check") == 2
    assert "which is no consumer" in capsys.readouterr().err
    settings.write_text("listen: here\nlisten_on: 1\n")
    assert run(monkeypatch, "--settings", str(settings)) == 2
    assert "listen_on: no such setting" in capsys.readouterr().err


def test_a_description_is_printed_without_serving(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--wsdl", "PNCEnquiry", "--address", "https://soap.example/") == 0
    assert 'location="https://soap.example/MetIP/services/PNCEnquiry"' in capsys.readouterr().out


def test_help_has_examples(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--help")
    assert ended.value.code == 0
    assert "--settings facade.yaml --check" in capsys.readouterr().out
