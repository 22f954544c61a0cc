"""What holds of every command: it says what it does with examples that its own options take, prints JSON, and asks in a live context."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from hub.cli import main
from hub.cli.contexts.guarding import Changing
from hub.cli.contexts.keeping import keep
from hub.cli.contexts.model import DEV, Context
from hub.cli.manual.examples import Example, examples
from hub.cli.manual.pages import commands

FOUND = {path[1:]: command for path, command, _ in commands(main, ("metip",))}
LEAVES = {" ".join(path): command for path, command in FOUND.items() if not isinstance(command, click.Group)}

WITHOUT_RESULTS = {
    "up": "it runs until Ctrl-C",
    "new": "it writes files, and names them",
    "help": "it prints pages for people",
    "completion": "it prints a script",
    "traffic preview": "it takes the options of the command that it previews",
    "parity case": "it writes a file, and names it",
    "ledger witness": "it runs until Ctrl-C",
}
"""Commands that print no results, and why."""
LOOKING = {
    "": "demo check status console top interfaces explain doctor trace tap grpcurl bench help completion new",
    "envoy": "status",
    "sim": "faults",
    "messages": "subscriptions groups list find export show track watch backup",
    "messages owner": "show",
    "traffic": "show history preview",
    "migrate": "status plan evidence history report propose approve",
    "parity": "report show list recordings sampling case",
    "access": "check explain diff",
    "ledger": "status search show export verify prove witness",
    "ledger report": "access use",
    "context": "list show add use remove",
    "identity": "list show check",
    "token": "show",
}
"""Commands by group that leave the mesh as it is. `bench` has a guard of its own, `demo` a mesh of its own; contexts are this user's files,
and so is what `propose` and `approve` of a migration, and `new`, write."""
LOOKERS = frozenset(f"{group} {name}".strip() for group, names in LOOKING.items() for name in names.split())
WATCHING = (
    "check", "status", "envoy status", "messages subscriptions", "messages groups", "traffic show", "traffic history", "migrate status",
    "migrate evidence", "migrate history", "parity recordings", "parity sampling", "parity list", "ledger status",
)  # fmt: skip
NOT_THERE = ("does not exist", "names a file that can be read")
"""What a parameter says of a file that an example names and that is not here."""


def names_of(command: click.Command) -> set[str]:
    return {name for one in command.params for name in one.opts}


@pytest.mark.parametrize("name", LEAVES)
def test_a_command_prints_json_or_is_known_to_print_no_results(name: str) -> None:
    assert ({"--output", "--json"} <= names_of(LEAVES[name])) != (name in WITHOUT_RESULTS)


@pytest.mark.parametrize("name", LEAVES)
def test_a_command_asks_in_a_live_context_or_is_known_to_change_nothing(name: str) -> None:
    assert isinstance(LEAVES[name], Changing) != (name in LOOKERS)


@pytest.mark.parametrize("name", [name for name, command in LEAVES.items() if isinstance(command, Changing)])
def test_whatever_changes_takes_a_yes_and_a_reason(name: str) -> None:
    command: Any = LEAVES[name]
    assert command.dev_only or ({"--yes"} <= names_of(command) and {"--because", "--reason"} & names_of(command))


def test_a_command_that_takes_a_home_takes_a_context() -> None:
    without = [name for name, one in LEAVES.items() if "--home" in names_of(one) and "--context" not in names_of(one)]
    assert without == ["demo", "context add"]  # the home is one that it makes, or that it gives a name to


@pytest.mark.parametrize("name", WATCHING)
def test_what_shows_how_something_stands_can_be_watched(name: str) -> None:
    assert "--watch" in names_of(LEAVES[name])


def _examples() -> Iterator[Any]:
    for path, command in FOUND.items():
        for number, one in enumerate(examples(command)):
            yield pytest.param(one, id=f"{' '.join(path) or 'metip'}-{number}")


@pytest.mark.parametrize("path", FOUND, ids=lambda path: " ".join(path) or "metip")
def test_a_command_says_what_it_does_with_an_example_of_itself(path: tuple[str, ...]) -> None:
    command = FOUND[path]
    assert (command.help or "").strip()
    assert any(tuple(one.words[: len(path)]) == path for one in examples(command) if "metip " in one.line)


@pytest.mark.parametrize("one", [*_examples()])
def test_an_example_is_taken_by_the_real_options(one: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("force", "far"):
        keep(Context(name, DEV, home=str(tmp_path / name)))
    if not one.line.startswith("man "):
        _parse(one.words)


@pytest.mark.parametrize(
    "words",
    [["status", "--wacth", "2"], ["messages", "list", "--state", "lost"], ["bench", "GetExample", "--rate", "fast"], ["ledger", "look"]],
    ids=lambda words: " ".join(words),
)
def test_an_example_that_is_wrong_would_be_found(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        _parse(words)


def _parse(words: list[str]) -> None:
    """Reads words as the command line does, down to the command; nothing is carried out."""
    command: click.Command = main
    context, rest = click.Context(main, info_name="metip"), list(words)
    while True:
        try:
            context = command.make_context(command.name, list(rest), parent=context)
        except click.exceptions.Exit:
            return  # --help and --version
        except click.BadParameter as error:
            if not any(text in error.message for text in NOT_THERE):
                raise
            return
        if not isinstance(command, click.Group):
            return
        rest = [*context._protected_args, *context.args]
        if not rest:
            assert command.invoke_without_command, f"{command.name} alone does nothing"
            return
        _, below, rest = command.resolve_command(context, rest)
        assert below is not None
        command = below


def test_the_help_comes_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "hub.cli", "--help"], capture_output=True, check=True)
    took = time.perf_counter() - began
    with capsys.disabled():
        print(f"\nmetip --help: {1000 * took:.0f} ms (wanted: under 150 ms on a quiet machine)")  # noqa: T201 - the figure is the result
    assert b"metip check" in done.stdout
