"""The hub's settings and the files they name: paths, defaults, and every file that can't be read in one go."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.contracts import BackEnd, Contracts, Dpia
from hub.mesh.inputs import Console, Edge, Grant, Policy, Tokens, Traffic
from hub.settings import Settings, read
from hub.sources import read_edge, read_policy, read_traffic, watched
from metip.settings import SettingsError

FILES = ("certificate", "key", "authority", "token_keys")
TEXT = """
trust_domain: metip.local
socket: run/hub.sock
state: state
access: access.yaml
edge:
  port: 8443
  json_port: 8444
  certificate: certificate
  key: key
  authority: authority
  token_keys: token_keys
  token_issuer: https://issuer.metip.local
  token_audience: metip
"""
NOTHING = Contracts((), (), b"")
POLICY = """
grants:
  - consumer: spiffe://metip.local/consumer/one
    operations: ["*"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with settings that are in order."""
    (tmp_path / "hub.yaml").write_text(TEXT)
    (tmp_path / "access.yaml").write_text(POLICY)
    for name in FILES:
        (tmp_path / name).write_text(f"the {name}")
    return tmp_path


def written(folder: Path, old: str = "", new: str = "") -> Settings:
    """Settings with one passage replaced."""
    assert old in TEXT
    (folder / "hub.yaml").write_text(TEXT.replace(old, new) if old else TEXT + new)
    return read(folder / "hub.yaml")


def test_relative_paths_start_at_the_settings_folder(folder: Path) -> None:
    settings = read(folder / "hub.yaml")
    assert (settings.trust_domain, settings.folder) == ("metip.local", folder)
    assert (settings.socket, settings.state, settings.access) == (folder / "run" / "hub.sock", folder / "state", folder / "access.yaml")


def test_they_start_there_from_whatever_folder_the_hub_was_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert read(Path("hub.yaml")).socket == folder / "run" / "hub.sock"


def test_absolute_paths_stay(folder: Path) -> None:
    assert written(folder, "run/hub.sock", "/run/metip/hub.sock").socket == Path("/run/metip/hub.sock")


def test_the_files_that_may_change_without_a_restart_are_watched(folder: Path) -> None:
    assert watched(read(folder / "hub.yaml")) == (folder / "access.yaml", *(folder / name for name in FILES))


def test_the_edge_is_read_with_the_content_of_its_files(folder: Path) -> None:
    assert read_edge(read(folder / "hub.yaml")) == Edge(
        trust_domain="metip.local",
        address="127.0.0.1",
        port=8443,
        json_port=8444,
        certificate="the certificate",
        key="the key",
        authority="the authority",
        tokens=Tokens("https://issuer.metip.local", "metip", "the token_keys"),
        access_log="",
    )


def test_an_edge_may_listen_elsewhere_and_log(folder: Path) -> None:
    edge = read_edge(written(folder, new="  address: 192.0.2.7\n  access_log: logs/access.log\n"))
    assert (edge.address, edge.access_log) == ("192.0.2.7", str(folder / "logs" / "access.log"))


def test_an_edge_never_shows_its_key(folder: Path) -> None:
    assert "the key" not in repr(read_edge(read(folder / "hub.yaml")))


def test_every_file_that_can_not_be_read_is_named_at_once(folder: Path) -> None:
    (folder / "certificate").unlink()
    (folder / "key").unlink()
    (folder / "key").mkdir()
    (folder / "authority").write_bytes(b"\x30\x82\xff\xfe DER, not PEM")
    with pytest.raises(SettingsError) as caught:
        read_edge(read(folder / "hub.yaml"))
    assert caught.value.problems == (
        "edge.certificate: certificate can't be read: No such file or directory",
        "edge.key: key can't be read: Is a directory",
        "edge.authority: authority is not text",
    )


def test_a_policy_is_read(folder: Path) -> None:
    assert read_policy(read(folder / "hub.yaml"), NOTHING) == Policy((Grant("spiffe://metip.local/consumer/one", ("*",)),))


def test_an_empty_policy_lets_nobody_in(folder: Path) -> None:
    (folder / "access.yaml").write_text("# nobody yet\n")
    assert read_policy(read(folder / "hub.yaml"), NOTHING) == Policy()


# A grant, and the setting that is wrong with it.
BAD_GRANTS = [
    ('{consumer: "*", operations: ["*"]}', "grants[0].consumer"),
    ("{consumer: https://metip.local/consumer/one, operations: ['*']}", "grants[0].consumer"),
    ("{consumer: spiffe://metip.local, operations: ['*']}", "grants[0].consumer"),
    ("{consumer: spiffe://metip.local/a b, operations: ['*']}", "grants[0].consumer"),
    ("{consumer: spiffe://metip.local/consumer/one}", "grants[0].operations"),
    ("{consumer: spiffe://metip.local/consumer/one, operations: []}", "grants[0].operations"),
    ("{consumer: spiffe://metip.local/consumer/one, operations: [Search]}", "grants[0].operations[0]"),
    ("{consumer: spiffe://metip.local/consumer/one, operations: ['*', metip.one.v1.*]}", "grants[0].operations[1]"),
    ("{consumer: spiffe://metip.local/consumer/one, operation: '*', operations: ['*']}", "grants[0].operation"),
]


@pytest.mark.parametrize(("grant", "path"), BAD_GRANTS, ids=[grant for grant, _ in BAD_GRANTS])
def test_a_grant_that_means_nothing_is_refused_by_its_place(folder: Path, grant: str, path: str) -> None:
    (folder / "access.yaml").write_text(f"grants:\n  - {grant}\n")
    with pytest.raises(SettingsError) as caught:
        read_policy(read(folder / "hub.yaml"), NOTHING)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [path]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"grants: {", b"\x00"], ids=["not-text", "cut-short", "control"])
def test_a_policy_that_is_half_written_is_a_problem_and_nothing_worse(folder: Path, content: bytes) -> None:
    settings = read(folder / "hub.yaml")
    (folder / "access.yaml").write_bytes(content)
    with pytest.raises(SettingsError):
        read_policy(settings, NOTHING)


def test_a_setting_that_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match="trust_domain"):
        written(folder, "trust_domain: metip.local", "")


def contracts() -> Contracts:
    """One interface, with a second system behind it."""
    interface = SimpleNamespace(name="metip.one.v1.OneService", system="one")
    back_end = BackEnd("two", "Somebody", Dpia("DPIA-2", date(2027, 1, 1)), ("metip.one.v1.OneService/Get",))
    known: Any = Contracts((interface,), (), b"", (back_end,))  # type: ignore[arg-type]  # what is asked of it
    found: Contracts = known
    return found


def shared(folder: Path, *shares: str) -> Traffic:
    (folder / "traffic.yaml").write_text("shares:\n" + "".join(f"  - {share}\n" for share in shares) if shares else "")
    text = (folder / "hub.yaml").read_text()
    (folder / "hub.yaml").write_text(text if "traffic:" in text else f"{text}traffic: traffic.yaml\n")
    settings = read(folder / "hub.yaml")
    assert settings.traffic in watched(settings)
    return read_traffic(settings, contracts())


def test_without_traffic_settings_the_owner_gets_everything(folder: Path) -> None:
    assert read_traffic(read(folder / "hub.yaml"), contracts()).weights("metip.one.v1.OneService", ("one", "two")) == (100, 0)


def test_shares_are_read_and_who_is_not_named_gets_nothing(folder: Path) -> None:
    found = shared(folder, "{interface: metip.one.v1.OneService, weights: {two: 3}}")
    assert found.weights("metip.one.v1.OneService", ("one", "two")) == (0, 3)
    assert found.weights("metip.one.v1.OneService", ("one",)) == (100,)
    assert found.weights("metip.other.v1.OtherService", ("other", "two")) == (100, 0)
    assert shared(folder) == Traffic()


BAD_SHARES = {
    "no such interface": ("{interface: metip.two.v1.TwoService, weights: {two: 1}}", "no contract has metip.two.v1.TwoService"),
    "a stranger": ("{interface: metip.one.v1.OneService, weights: {three: 1}}", "no contract puts three behind metip.one.v1.OneService"),
    "nobody": ("{interface: metip.one.v1.OneService, weights: {one: 0, two: 0}}", "nobody has any weight for metip.one.v1.OneService"),
    "no weights": ("{interface: metip.one.v1.OneService}", "weights"),
    "too much": ("{interface: metip.one.v1.OneService, weights: {two: 1001}}", "weights"),
}


@pytest.mark.parametrize(("share", "problem"), BAD_SHARES.values(), ids=BAD_SHARES)
def test_a_share_that_means_nothing_is_refused(folder: Path, share: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        shared(folder, share)


def test_an_interface_has_one_share(folder: Path) -> None:
    with pytest.raises(SettingsError, match="is there twice"):
        shared(folder, *["{interface: metip.one.v1.OneService, weights: {two: 1}}"] * 2)


CONSOLE = """
console:
  port: 8445
  socket: run/console.sock
"""
SIGN_IN = """  certificate: certificate
  key: key
  sign_in:
    issuer: https://sso.metip.example
    authorization_endpoint: https://sso.metip.example/authorize
    token_endpoint: https://sso.metip.example/token
    keys_endpoint: https://sso.metip.example/keys
    client_id: metip-console
    client_secret: client_secret
    cookie_secret: cookie_secret
    authority: authority
    audience: metip-console
    address: https://console.metip.example
"""


@pytest.fixture
def secrets(folder: Path) -> Path:
    """The folder with the secrets of a sign-in."""
    for name in ("client_secret", "cookie_secret"):
        (folder / name).write_text(f"the {name}\n")
        (folder / name).chmod(0o600)
    return folder


def test_without_settings_for_it_there_is_no_console(folder: Path) -> None:
    assert read_edge(read(folder / "hub.yaml")).console is None


def test_a_laptops_console_takes_tokens_of_the_edges_issuer(folder: Path) -> None:
    console = read_edge(written(folder, new=CONSOLE)).console
    assert console == Console(8445, str(folder / "run" / "hub.sock"), str(folder / "run" / "console.sock"))


def test_a_sign_in_is_read_with_its_secrets_which_it_never_shows(secrets: Path) -> None:
    settings = written(secrets, new=CONSOLE + SIGN_IN)
    console = read_edge(settings).console
    assert console is not None
    assert console.sign_in is not None
    assert (console.certificate, console.sign_in.client_secret, console.sign_in.cookie_secret) == (
        "the certificate",
        "the client_secret",
        "the cookie_secret",
    )
    assert console.sign_in.scopes == ("openid",)
    assert not any(one in repr(console) for one in ("the client_secret", "the cookie_secret", "the key"))
    assert {secrets / "client_secret", secrets / "cookie_secret"} <= set(watched(settings))


def test_a_secret_that_others_can_read_is_refused_with_the_command_that_closes_it(secrets: Path) -> None:
    (secrets / "client_secret").chmod(0o644)
    (secrets / "cookie_secret").unlink()
    with pytest.raises(SettingsError) as caught:
        read_edge(written(secrets, new=CONSOLE + SIGN_IN))
    first, second = caught.value.problems
    assert "console.sign_in.client_secret" in first
    assert "chmod 600" in first
    assert "console.sign_in.cookie_secret" in second


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("token_endpoint: https:", "token_endpoint: http:"),
        ("keys_endpoint: https:", "keys_endpoint: http:"),
        ("address: https://console.metip.example", "address: https://console.metip.example/path"),
        ("address: https:", "address: http:"),
        ("issuer: https://sso.metip.example", "issuer: sso"),
        ("    audience: metip-console\n", ""),
    ],
)
def test_a_sign_in_that_could_not_be_safe_is_refused(old: str, new: str, secrets: Path) -> None:
    with pytest.raises(SettingsError):
        written(secrets, new=CONSOLE + SIGN_IN.replace(old, new))
