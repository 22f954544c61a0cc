"""`metip messages` before anything is asked: its table, its help, and what it refuses of what was typed."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.cli.exchange import SECTIONS, messages

ID = "0197c5a0-0000-8000-8000-00000000002a"
NAMES = [name for commands in SECTIONS.values() for name in commands]


@pytest.mark.parametrize("name", NAMES)
def test_the_table_says_of_a_command_what_its_own_help_says(name: str) -> None:
    command = messages.get_command(click.Context(messages), name)
    assert command is not None
    assert command.name == name
    words = next(commands[name][1] for commands in SECTIONS.values() if name in commands)
    assert " ".join((command.help or "").partition("\n\n")[0].split()) == words


@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_a_home_and_json_and_an_officer_where_it_asks_as_one(name: str) -> None:
    command = messages.get_command(click.Context(messages), name)
    if isinstance(command, click.Group):
        output = "".join(CliRunner().invoke(main, ["messages", name, one, "--help"], terminal_width=160).output for one in command.commands)
    else:
        output = CliRunner().invoke(main, ["messages", name, "--help"], terminal_width=160).output
    assert all(option in output for option in ("--home", "--json"))
    assert ("--officer" in output) == (name not in SECTIONS["Keep"])


DECISIONS = ["park", "release", "purge", "replay"]
REFUSED = [
    *[pytest.param([name, "--reason", "because"], f"say what to {name}", id=f"{name}-everything") for name in DECISIONS],
    *[pytest.param([name, "--state", "parked"], "Missing option '--reason'", id=f"{name}-no-reason") for name in DECISIONS],
    pytest.param(["pause", "far"], "Missing option '--reason'", id="pause-no-reason"),
    pytest.param(["approve", ID], "Missing option '--reason'", id="approve-no-reason"),
    pytest.param(["settle", ID, "--reason", "because"], "say which it is: --done or --not-done", id="settle-how"),
    pytest.param(["settle", "--done", "--reason", "because"], "say what to settle as done", id="settle-everything"),
    pytest.param(["park", "--state", "parked", "--reason", "because"], "only what is pending can", id="park-what-is-parked"),
    pytest.param(
        ["release", "--state", "processed", "--reason", "because"],
        "only what is parked, in_doubt or expired can",
        id="release-what-is-done",
    ),
    pytest.param(["replay", "--plan", ID, "--since", "2h", "--reason", "because"], "not both", id="plan-and-filter"),
    pytest.param(["list", "--since", "1h", "--until", "2h"], "is not before --until", id="since-after-until"),
    pytest.param(["list", "--since", "soon"], "is no time and no age", id="no-time"),
    pytest.param(["list", "--state", "lost"], "is no state", id="no-state"),
    pytest.param(["list", "--limit", "0"], "--limit", id="no-limit"),
    pytest.param(["list", "--why", "x"], "3 to 250 characters", id="short-why"),
    pytest.param(["track", "42"], "is no id", id="no-id"),
    pytest.param(["park", *[f"0197c5a0-0000-8000-8000-{n:012x}" for n in range(1001)], "--reason", "because"], "too many", id="many"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_what_makes_no_sense_is_a_usage_error_that_says_what_would(arguments: list[str], words: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["messages", *arguments, "--home", str(tmp_path / "none")], terminal_width=160)
    assert result.exit_code == 2, result.output
    assert words in result.stderr


NO_MESH = [
    ["subscriptions"],
    ["groups"],
    ["list"],
    ["export"],
    ["show", ID],
    ["track", ID],
    ["watch", ID],
    ["park", ID, "--reason", "because", "--yes"],
    ["settle", ID, "--done", "--reason", "because"],
    ["pause", "far", "--reason", "because"],
    ["replay", "--state", "parked", "--reason", "because"],
    ["replay", "--plan", ID, "--reason", "because"],
    ["approve", ID, "--reason", "because"],
]


@pytest.mark.parametrize("arguments", NO_MESH, ids=" ".join)
def test_without_a_mesh_a_command_says_so_and_what_to_do(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["messages", *arguments, "--home", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert f"there is no mesh in {tmp_path / 'none'}" in result.stderr
    assert "fix: start one with `metip up`" in result.stderr


def test_an_operation_that_keeps_no_messages_is_refused_with_those_that_do() -> None:
    result = CliRunner().invoke(main, ["messages", "publish", "ExchangeService/Track", "message_id=1"])
    assert result.exit_code == 1
    assert "keeps no messages" in result.stderr
    assert "fix: " in result.stderr
