"""`metip identity` and `metip token` as they are typed: what they print, where, with which status, and what they never print."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hostile_certificates import ground_of, hostile_certificate

import hub
from hub.cli.identity import identity, token
from hub.identity import Store, issue

TABLET = "spiffe://metip.local/consumer/tablet"
OFFICER = ("100001XX", "--unit", "CO10", "--role", "response", "--consumer", "consumer/tablet")

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".metip"


@pytest.fixture
def run(home: Path) -> Run:
    """Run one command in a home of the test's own."""

    def run(group: click.Group, *arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(group, arguments, input=stdin, env={"METIP_HOME": str(home)}, catch_exceptions=False)

    return run


def test_issue_makes_the_authority_and_says_where_everything_is(run: Run, home: Path) -> None:
    result = run(identity, "issue", TABLET)
    assert result.exit_code == 0
    assert result.stderr == f"made ca.key, ca.pem, token-issuer.key, jwks.json in {home / 'identity'}\n"
    assert result.stdout.startswith(f"consumer-tablet: {TABLET}\n")
    assert str(home / "identity" / "consumer-tablet" / "key.pem") in result.stdout
    assert "PRIVATE" not in result.output


def test_issue_takes_a_path_alone_and_prints_json(run: Run, home: Path) -> None:
    result = run(identity, "issue", "edge", "--name", "front", "--dns", "localhost", "--lifetime", "36h", "--json")
    document = json.loads(result.stdout)
    assert (document["spiffe_id"], document["name"]) == ("spiffe://metip.local/edge", "front")
    assert document["certificate_path"] == str(home / "identity" / "front" / "cert.pem")
    lifetime = datetime.fromisoformat(document["not_after"]) - datetime.fromisoformat(document["not_before"])
    assert lifetime == timedelta(hours=36, minutes=5)


def test_home_can_be_given_as_an_option(run: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert run(identity, "issue", "edge", "--home", str(elsewhere)).exit_code == 0
    assert Store(elsewhere / "identity").names() == ("edge",)


def test_issue_again_keeps_the_key_unless_told_otherwise(run: Run, home: Path) -> None:
    key = home / "identity" / "edge" / "key.pem"
    run(identity, "issue", "edge")
    first = key.read_bytes()
    run(identity, "issue", "edge")
    assert key.read_bytes() == first
    run(identity, "issue", "edge", "--new-key")
    assert key.read_bytes() != first


REFUSED = {
    "bad_id": (("issue", "../edge"), 1, "isn't a SPIFFE id"),
    "other_trust_domain": (("issue", "spiffe://metip.example/edge"), 1, "isn't in this authority's trust domain"),
    "too_long": (("issue", "edge", "--lifetime", "91d"), 1, "ask for one second to 90 days"),
    "no_duration": (("issue", "edge", "--lifetime", "soon"), 2, "such as 90s, 30m, 8h or 30d"),
    "unknown_name": (("show", "nobody"), 1, "doesn't exist"),
    "name_outside": (("show", "../x"), 1, "can't name an identity's folder"),
}


@pytest.mark.parametrize(("arguments", "status", "words"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_one_line_that_says_what_to_do(run: Run, arguments: tuple[str, ...], status: int, words: str) -> None:
    result = run(identity, *arguments)
    assert result.exit_code == status
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output


def test_list_shows_each_certificate_and_marks_what_is_due_or_unusable(run: Run, home: Path) -> None:
    store = Store(home / "identity")
    store.ensure()
    now = datetime.now(UTC)
    issue(store, "spiffe://metip.local/new", now=now)
    issue(store, "spiffe://metip.local/old", now=now - timedelta(days=20))
    (home / "identity" / "broken").mkdir()
    lines = run(identity, "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["broken", "new", "old"]
    assert "unusable: " in lines[0]
    assert "29 days left  spiffe://metip.local/new" in lines[1]
    assert "9 days left (renew)" in lines[2]
    rows = json.loads(run(identity, "list", "--json").stdout)["identities"]
    assert [row.get("needs_renewal") for row in rows] == [None, False, True]
    assert rows[0]["fault"]["reason"] == "MISSING"


def test_list_of_nothing_says_how_to_begin(run: Run, home: Path) -> None:
    assert "metip identity issue" in run(identity, "list").stdout
    assert json.loads(run(identity, "list", "--json").stdout) == {"identities": []}
    assert not home.exists(), "reading makes nothing"


def test_show_prints_the_facts(run: Run) -> None:
    run(identity, "issue", "edge", "--dns", "localhost", "--address", "127.0.0.1")
    text = run(identity, "show", "edge").stdout
    assert "spiffe://metip.local/edge" in text
    assert "localhost" in text
    facts = json.loads(run(identity, "show", "edge", "--json").stdout)
    assert facts["addresses"] == ["127.0.0.1"]
    assert (facts["days_left"], facts["needs_renewal"]) == (29, False)


def test_check_of_a_sound_folder_ends_well(run: Run) -> None:
    run(identity, "issue", "edge")
    result = run(identity, "check")
    assert (result.exit_code, result.stdout) == (0, "store: sound\nedge: sound\n")


def test_check_names_fault_and_fix_and_ends_with_one(run: Run, home: Path) -> None:
    run(identity, "issue", "edge")
    run(identity, "issue", "consumer/tablet")
    key = home / "identity" / "edge" / "key.pem"
    key.chmod(0o644)
    result = run(identity, "check")
    assert result.exit_code == 1
    assert f"error: {key} is open to other users" in result.stdout
    assert f"fix: run: chmod 600 {key}" in result.stdout
    assert run(identity, "check", "consumer-tablet").exit_code == 0
    document = json.loads(run(identity, "check", "--json").stdout)
    assert document["store"] == document["consumer-tablet"] == []
    assert document["edge"][0]["reason"] == "EXPOSED"


def test_a_warning_alone_doesnt_fail_the_check(run: Run) -> None:
    run(identity, "issue", "edge", "--lifetime", "3d")
    result = run(identity, "check")
    assert result.exit_code == 0
    assert result.stdout == "store: sound\nedge: sound\n", "it is in the first third of its life"
    warned = run(identity, "check", "--within", "7d")
    assert (warned.exit_code, "warning: " in warned.stdout) == (0, True)


def test_a_strangers_certificate_cant_write_to_the_terminal(run: Run, home: Path) -> None:
    store = Store(home / "identity")
    store.ensure()
    ground = ground_of(store.authority(), TABLET, datetime.now(UTC))
    hostile_certificate("embedded_nul", ground).write(store.folder("hostile"))
    for command in (("list",), ("show", "hostile"), ("check",)):
        output = run(identity, *command).output
        assert "\0" not in output
        assert all(line.isprintable() for line in output.splitlines())


def test_token_issue_prints_the_token_alone_and_the_facts_aside(run: Run) -> None:
    result = run(token, "issue", *OFFICER)
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    assert line.count(".") == 2
    facts = result.stderr.splitlines()[-1]
    assert TABLET in facts
    assert "roles response" in facts
    assert "100001XX" not in result.stderr, "standard error ends in logs"
    assert line not in result.stderr


def test_a_token_goes_through_a_pipe_and_is_shown(run: Run, tmp_path: Path) -> None:
    text = run(token, "issue", *OFFICER, "--lifetime", "30m").stdout
    shown = run(token, "show", stdin=text).stdout
    assert "100001XX" in shown
    assert "response" in shown
    (tmp_path / "token").write_text(text)
    claims = json.loads(run(token, "show", str(tmp_path / "token"), "--json").stdout)
    lifetime = datetime.fromisoformat(claims["expires_at"]) - datetime.fromisoformat(claims["issued_at"])
    assert (claims["authorised_party"], lifetime) == (TABLET, timedelta(minutes=30))


def test_token_issue_prints_json(run: Run) -> None:
    document = json.loads(run(token, "issue", *OFFICER, "--json").stdout)
    assert set(document) == {"token", "token_id", "expires_at"}
    shown = json.loads(run(token, "show", "--json", stdin=document["token"]).stdout)
    assert (shown["token_id"], shown["expires_at"]) == (document["token_id"], document["expires_at"])


@pytest.mark.parametrize("stdin", ["", "not a token", "a.b.c", b"\xff\xfe", "A" * 100_000], ids=["empty", "words", "dots", "bytes", "long"])
def test_a_bad_token_is_refused_with_its_reason(run: Run, stdin: str | bytes) -> None:
    run(identity, "issue", "edge")
    result = run(token, "show", stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: MALFORMED: ")


def test_a_token_typed_as_an_argument_isnt_repeated(run: Run) -> None:
    text = run(token, "issue", *OFFICER).stdout.strip()
    for arguments in ((text,), (text, text)):
        result = run(token, "show", *arguments)
        assert result.exit_code == 2
        assert "pipe it in" in result.stderr
        assert text not in result.output


def test_a_token_for_somebody_else_is_refused(run: Run) -> None:
    text = run(token, "issue", *OFFICER, "--audience", "console").stdout
    result = run(token, "show", stdin=text)
    assert result.exit_code == 1
    assert "WRONG_AUDIENCE" in result.stderr
    assert run(token, "show", "--audience", "console", stdin=text).exit_code == 0


def test_a_warrant_number_that_cant_be_isnt_repeated(run: Run) -> None:
    result = run(token, "issue", "100001 XX", *OFFICER[1:])
    assert result.exit_code == 1
    assert "100001" not in result.output


COMMANDS = [(group, command) for group in (identity, token) for command in group.commands.values()]


@pytest.mark.parametrize(("group", "command"), COMMANDS, ids=[f"{group.name}-{command.name}" for group, command in COMMANDS])
def test_every_command_explains_itself_with_an_example(run: Run, group: click.Group, command: click.Command) -> None:
    assert command.name is not None
    text = run(group, command.name, "--help").stdout
    assert f"metip {group.name} {command.name}" in text
    for option in ("--home", "METIP_HOME", "--json"):
        assert option in text
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


def test_importing_the_commands_imports_no_cryptography() -> None:
    code = "import sys, hub.cli.identity; print(*sorted({'cryptography', 'jwt', 'hub.identity', 'grpc'} & set(sys.modules)))"
    root = Path(hub.__file__).parents[1]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True).strip() == ""
