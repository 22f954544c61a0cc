"""`metip console` and what `metip up` says of it: an address with a sign-in for whoever asks, never longer than a shift."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.cli.client import place
from hub.cli.console import user
from hub.cli.up import _print_console
from hub.identity import Store, inspect_token
from hub.laptop.layout import Home
from hub.laptop.preparing import Ports, prepare


def console(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["console", "--home", str(home), *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a console."""
    home = Home.at(tmp_path_factory.mktemp("home"))
    prepare(home, Ports(1, 2, 3, console=8445))
    return home.root


def test_it_prints_an_address_that_signs_whoever_asked_in(home: Path) -> None:
    address, _, token = console(home).stdout.strip().partition("#token=")
    claims = inspect_token(Store(home / "identity"), token, datetime.now(UTC))
    assert address == "https://127.0.0.1:8445/"
    assert (claims.warrant_number, claims.roles) == (user(), ("operations",))
    assert claims.authorised_party == "spiffe://metip.local/consumer/console"
    assert (claims.expires_at - claims.issued_at).total_seconds() == 3600


def test_roles_and_time_are_the_askers_to_choose(home: Path) -> None:
    said = json.loads(console(home, "--role", "operations-read", "--role", "unmask", "--lifetime", "90s", "--json").stdout)
    claims = inspect_token(Store(home / "identity"), said["address"].partition("#token=")[2], datetime.now(UTC))
    assert claims.roles == ("operations-read", "unmask")
    assert (claims.expires_at - claims.issued_at).total_seconds() == 90


@pytest.mark.parametrize("lifetime", ["9h", "0.5s"])
def test_a_sign_in_lasts_no_longer_than_a_shift(lifetime: str, home: Path) -> None:
    assert console(home, "--lifetime", lifetime).exit_code == 2


def test_a_role_that_is_no_word_is_refused(home: Path) -> None:
    said = console(home, "--role", "Operations!")
    assert said.exit_code == 1
    assert "roles must be" in said.stderr


def test_where_there_is_no_console_it_says_how_to_start_one(tmp_path: Path) -> None:
    prepare(Home.at(tmp_path), Ports(1, 2, 3))
    said = console(tmp_path)
    assert said.exit_code == 1
    assert "--no-console" in said.stderr


def test_where_people_sign_in_elsewhere_the_address_is_all(home: Path, tmp_path: Path) -> None:
    sign_in = """  sign_in:
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
    settings = (home / "hub.yaml").read_text().replace("  port: 8445\n", f"  port: 8445\n{sign_in}")
    (tmp_path / "hub.yaml").write_text(settings)
    assert console(tmp_path).stdout.strip() == "https://console.metip.example/"


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_up_prints_a_sign_in_on_a_terminal_and_nowhere_else(
    terminal: bool, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hub.cli.printing.on_terminal", lambda: terminal)
    _print_console(place(home))
    said = capsys.readouterr().out
    assert "https://127.0.0.1:8445/" in said
    assert ("#token=" in said) is terminal


@pytest.mark.parametrize("arguments", [["--port", "8445"], ["--soap-port", "8445"], ["--console-port", "8443"]])
def test_up_wants_ports_that_differ(arguments: list[str], tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["up", "--home", str(tmp_path / "home"), *arguments])
    assert said.exit_code == 2
    assert "must differ" in said.stderr
