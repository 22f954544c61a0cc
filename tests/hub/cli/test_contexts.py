"""Contexts: which mesh a command is for, what is kept of it, and what a live one asks."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.cli.contexts import keeping
from hub.cli.contexts.choosing import CHOSEN, choose
from hub.cli.contexts.guarding import Changing, permit, wet
from hub.cli.contexts.model import DEV, LIVE, TEST, Context, context_of, problems_of
from hub.cli.options import Problem, home_option


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings of this user's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("METIP_HOME", raising=False)
    monkeypatch.delenv("METIP_CONTEXT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config" / "metip"


def run(*arguments: str, **more: Any) -> Result:
    return CliRunner().invoke(main, arguments, **more)


def test_a_context_is_added_used_shown_and_removed(config: Path, tmp_path: Path) -> None:
    added = run("context", "add", "force", "--kind", "live", "--home", "here", "--about", "Both halls")
    assert added.exit_code == 0, added.output
    file = config / "contexts" / "force.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == {"name": "force", "kind": "live", "home": str(tmp_path / "here"), "about": "Both halls"}
    assert "home: " in added.output
    assert "is not there" in added.output
    assert run("context", "use", "force").exit_code == 0
    listed = json.loads(run("context", "list", "--json").stdout)
    assert [(one["name"], one["in_use"]) for one in listed] == [("force", True)]
    shown = json.loads(run("context", "show", "--output", "json").stdout)
    assert shown == {"context": json.loads(file.read_text()), "home": str(tmp_path / "here"), "why": "the context in use"}
    assert run("context", "remove", "force").exit_code == 0
    assert not file.exists()
    assert json.loads(run("context", "show", "--json").stdout)["why"] == "the default"


def test_a_token_is_named_and_never_copied(config: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("eyJhbGciOi.secret.part")
    done = run("context", "add", "far", "--kind", "test", "--console", "hub.example:8445", "--token-file", "token")
    assert done.exit_code == 0, done.output
    kept = (config / "contexts" / "far.json").read_text()
    assert json.loads(kept)["token"] == str(tmp_path / "token")
    assert "secret" not in kept + done.output


WRONG = {
    "no_mesh": (Context("a", DEV), "it says no mesh"),
    "both": (Context("a", DEV, home="/a", edge="b:1"), "not both: home and edge"),
    "name": (Context("A b", DEV, home="/a"), "a name has"),
    "path_in_a_name": (Context("../a", DEV, home="/a"), "a name has"),
    "kind": (Context("a", "prod", home="/a"), "its kind is one of dev, test, live"),
    "address": (Context("a", DEV, edge="b"), "edge is an address"),
    "port": (Context("a", DEV, console="b:70000"), "console is an address"),
    "certificate_alone": (Context("a", DEV, edge="b:1", certificate="/c"), "go together"),
    "short_path": (Context("a", DEV, home="a"), "home is a whole path"),
}


@pytest.mark.parametrize(("one", "words"), WRONG.values(), ids=WRONG)
def test_what_makes_no_context_is_told(one: Context, words: str) -> None:
    assert words in "; ".join(problems_of(one))


@pytest.mark.parametrize(
    ("said", "words"),
    [([], "no JSON object"), ({"kind": "dev", "home": "/a", "password": "x"}, "password, which no context has"), ({"kind": 1}, "is text")],
    ids=["list", "strange", "number"],
)
def test_a_file_that_says_something_else_is_refused(said: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        context_of("a", said)


def test_a_file_that_others_may_read_is_refused() -> None:
    keeping.keep(Context("a", DEV, home="/a")).chmod(0o644)
    with pytest.raises(Problem, match="others than you"):
        keeping.named("a")


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    with pytest.raises(Problem, match="no name of a context"):
        keeping.named("../../etc/passwd")


def test_the_first_that_is_said_decides(tmp_path: Path) -> None:
    for name in ("one", "two"):
        keeping.keep(Context(name, TEST, home=f"/{name}"))
    keeping.put_in_use("two")
    assert choose(Path("/x"), True, "", False).home == Path("/x")
    assert choose(Path("/x"), True, "one", False).home == Path("/x")  # the command line before METIP_CONTEXT
    assert choose(Path("/x"), False, "one", True).home == Path("/one")
    assert choose(Path("/x"), False, "one", False).home == Path("/one")  # METIP_CONTEXT before METIP_HOME
    assert choose(Path("/x"), False, "", False).home == Path("/x")
    assert choose(None, False, "", False).home == Path("/two")
    keeping.put_in_use("")
    assert choose(None, False, "", False).home == Path(".metip")
    with pytest.raises(click.UsageError, match="give one of them"):
        choose(Path("/x"), True, "one", True)


def test_the_folder_of_a_live_context_is_live_however_it_is_named(tmp_path: Path) -> None:
    keeping.keep(Context("force", LIVE, home=str(tmp_path / "srv")))
    (tmp_path / "link").symlink_to(tmp_path / "srv")
    for home, said in ((tmp_path / "srv", True), (tmp_path / "link", False), (Path("srv"), True)):
        found = choose(home, said, "", False).context
        assert found is not None
        assert found.name == "force"
    assert choose(tmp_path, True, "", False).context is None


@click.command(cls=Changing, when=wet)
@click.option("--dry-run", is_flag=True)
@click.option("--reason", default="")
@home_option
def change(dry_run: bool, reason: str, home: Path) -> None:
    """Changes something."""
    click.echo(f"changed {home}, {dry_run}, {reason}")


def changed(*arguments: str, **more: Any) -> Result:
    return CliRunner().invoke(change, arguments, **more)


@pytest.fixture
def live(tmp_path: Path) -> Context:
    one = Context("force", LIVE, home=str(tmp_path / "srv"))
    keeping.keep(one)
    return one


def test_in_a_live_context_a_change_is_announced_and_refused_where_nobody_can_be_asked(live: Context) -> None:
    done = changed("--context", "force", input="force\n")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f" LIVE  force: {live.home} " in done.stderr
    assert "standard input is no terminal; nothing was done" in done.stderr
    assert "fix: repeat it with --yes and --because WORDS" in done.stderr


def test_a_script_says_yes_only_together_with_a_reason(live: Context) -> None:
    refused = changed("--context", "force", "--yes")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "--yes goes only together with a reason" in refused.stderr
    done = changed("--context", "force", "--yes", "--reason", "CHG-17")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"changed {live.home}, False, CHG-17\n"


def test_a_dry_run_is_announced_and_not_asked_about(live: Context) -> None:
    done = changed("--home", live.home, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "LIVE" in done.stderr


def test_elsewhere_nothing_is_asked_or_announced(tmp_path: Path) -> None:
    keeping.keep(Context("try", TEST, home=str(tmp_path)))
    done = changed("--context", "try")
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(("typed", "code"), [("force", 0), ("forse", 1), ("y", 1), ("", 1)], ids=["name", "slip", "y", "nothing"])
def test_at_a_terminal_the_name_is_typed(live: Context, typed: str, code: int) -> None:
    del live
    keyboard, terminal = pty.openpty()
    script = (
        "from hub.cli.contexts.guarding import permit; from hub.cli.contexts.keeping import named\n"
        "permit(named('force'), yes=False, because='')"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(keyboard, f"{typed}\n".encode())
    _, said = process.communicate(timeout=60)
    os.close(keyboard)
    os.close(terminal)
    assert bool(process.returncode) == bool(code)
    assert b"Type its name to go on" in said
    assert (b"nothing was done" in said) == bool(code)


def test_development_only_commands_are_refused_in_any_other_context(tmp_path: Path) -> None:
    keeping.keep(Context("try", TEST, home=str(tmp_path / "try")))
    done = run("up", "--context", "try")
    assert done.exit_code == 1
    assert "is for development only" in done.stderr
    assert not (tmp_path / "try").exists()


def test_a_reason_that_no_command_keeps_is_recorded_or_nothing_is_done(live: Context) -> None:
    done = run("sim", "pnx", "hang", "--context", "force", "--yes", "--because", "CHG-17")
    assert done.exit_code == 1
    assert f"there is no mesh in {live.home}" in done.stderr


def test_an_unknown_context_names_those_that_there_are(live: Context) -> None:
    del live
    done = run("status", "--context", "farce")
    assert done.exit_code == 1
    assert "there is no context farce; there are force" in done.stderr


def test_a_context_of_addresses_says_what_it_lacks() -> None:
    keeping.keep(Context("far", TEST, edge="127.0.0.1:1"))
    done = run("interfaces", "--context", "far")
    assert done.exit_code == 1
    assert "the context far names no way to the hub" in done.stderr
    keeping.keep(Context("far", TEST, console="127.0.0.1:1"))
    assert "names no token" in run("interfaces", "--context", "far").stderr
    assert "names no certificate" in run("call", "GetArrestSummons", "--sample", "--context", "far").stderr


def test_what_is_said_of_a_group_holds_for_its_commands(live: Context) -> None:
    done = run("sim", "--context", "force", "play", "F01")
    assert done.exit_code == 1
    assert done.stderr.count(" LIVE ") == 1
    assert "nobody can be asked" in done.stderr
    there = run("sim", "--home", live.home, "faults", "--json")
    assert there.exit_code == 0, there.stderr


def test_completion_resolves_no_mesh() -> None:
    context = click.Context(change, resilient_parsing=True)
    change.parse_args(context, ["--home", "x"])
    assert CHOSEN not in context.meta


def test_a_name_that_was_typed_lets_pass_only_that_context() -> None:
    with pytest.raises(Problem, match="no terminal"):
        permit(Context("force", LIVE, home="/a"), yes=False, because="said")
