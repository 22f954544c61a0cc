"""`metip` itself: what its help says, how little it loads to say it, and the status it ends with."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub.cli import SECTIONS, checking, findings, main

NAMES = [name for commands in SECTIONS.values() for name in commands]
HEAVY = ("grpc", "rich", "aiohttp", "google.protobuf", "cryptography", "jwt", "envoy_data_plane", "protovalidate")


def test_help_lists_every_command_with_its_words() -> None:
    output = CliRunner().invoke(main, ["--help"], terminal_width=160).output
    for commands in SECTIONS.values():
        for name, (_, words) in commands.items():
            assert f"  {name} " in output
            assert words in output


@pytest.mark.parametrize("name", NAMES)
def test_the_table_says_of_a_command_what_its_own_help_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    words = next(commands[name][1] for commands in SECTIONS.values() if name in commands)
    assert " ".join((command.help or "").partition("\n\n")[0].split()) == words


def _every_command(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += _every_command(inner, (*path, name))
    return found


@pytest.mark.parametrize("path", _every_command(main), ids=" ".join)
def test_every_command_has_help_with_examples(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"], terminal_width=160)
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"  metip {' '.join(path)}" in result.output or f"$(metip {' '.join(path)}" in result.output


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys, click, json
from click.testing import CliRunner
from hub.cli import main
for path in {[list(path) for path in _every_command(main) if path != ("new",)]!r} + [[]]:
    CliRunner().invoke(main, [*path, "--help"])
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_what_only_asks_the_hub_loads_neither_identities_nor_rules(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("trust_domain: metip.local\nsocket: run/hub.sock\nstate: state\naccess: access.yaml\n")
    code = f"""
import sys, json
from click.testing import CliRunner
from hub.cli import main
done = CliRunner().invoke(main, ["interfaces", "--home", {str(tmp_path)!r}])
print(json.dumps([done.stderr, [name for name in ("cryptography", "jwt", "protovalidate", "hub.identity") if name in sys.modules]]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, loaded = json.loads(done.stdout)
    assert "does not answer" in said
    assert loaded == []


def test_version_is_the_packages() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("metip 0.")


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["chekc"]).exit_code == 2


def test_the_sections_of_check_are_the_findings_own() -> None:
    assert checking.SECTIONS == findings.SECTIONS


NO_MESH = [
    pytest.param(["status"], id="status"),
    pytest.param(["interfaces"], id="interfaces"),
    pytest.param(["explain", "GetMesh"], id="explain"),
    pytest.param(["envoy", "status"], id="envoy"),
    pytest.param(["call", "GetMesh"], id="call"),
    pytest.param(["grpcurl"], id="grpcurl"),
]


@pytest.mark.parametrize("arguments", NO_MESH)
def test_without_a_mesh_a_command_says_so_and_what_to_do(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*arguments, "--home", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert f"there is no mesh in {tmp_path / 'none'}" in result.stderr
    assert "fix: start one with `metip up`" in result.stderr
    assert not (tmp_path / "none").exists()
