"""Which files the rule about names looks at; what it says of a line is tested with the structure tests, where it is a law."""

import subprocess
from pathlib import Path

import pytest

from hub.cli.naming import files, lines_naming, mentions, own

SYSTEM = "_".join(("sample", "register"))
LOOKED_AT = (
    "hub/x.py",
    "protos/x.proto",
    "envoy/x.yaml",
    "pyproject.toml",
    "Makefile",
    ".ci/run",
    "adapters/a/cases/x.txtpb",
    "hub/cli/x.py.tmpl",
)
NOT_LOOKED_AT = ("README.md", "docs/x.md", "LICENSE", "deploy/values.yaml", "deploy/laptop.values.yaml", "picture.png")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Files of all sorts, one of which git ignores."""
    for path in ("hub/x.py", ".ci/run", "protos/x_pb2.py", "hub/__pycache__/x.pyc", "ignored/x.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f'"{SYSTEM}"\n', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("path", LOOKED_AT)
def test_code_and_configuration_are_looked_at(path: str) -> None:
    assert lines_naming(SYSTEM, path, f'nothing\n"{SYSTEM}"\n') == (2,)


@pytest.mark.parametrize("path", NOT_LOOKED_AT)
def test_prose_and_deployment_values_are_not_looked_at(path: str) -> None:
    assert lines_naming(SYSTEM, path, f'nothing\n"{SYSTEM}"\n') == ()


def test_a_word_behind_a_hash_that_is_no_comment_is_read() -> None:
    assert lines_naming(SYSTEM, "x.yaml", f"colour: x#y {SYSTEM}") == (1,)
    assert lines_naming(SYSTEM, "x.yaml", f"# {SYSTEM}") == ()


def test_a_system_owns_its_contract_its_adapter_and_its_tests() -> None:
    folders = [f"protos/metip/{SYSTEM}/v1/settings.proto", f"adapters/{SYSTEM}/wire.py", f"tests/adapters/{SYSTEM}/test_wire.py"]
    assert all(own(path, SYSTEM) for path in folders)
    assert not own(f"adapters/{SYSTEM}_two/wire.py", SYSTEM)


def test_without_git_hidden_and_generated_files_are_left_out(checkout: Path) -> None:
    assert files(checkout) == ("hub/x.py", "ignored/x.py")


def test_with_git_every_file_counts_that_it_keeps_or_would_keep(checkout: Path) -> None:
    (checkout / ".gitignore").write_text("ignored/\n__pycache__/\n*_pb2.py\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    subprocess.run(["git", "-C", str(checkout), "add", "hub/x.py"], check=True)
    assert files(checkout) == (".ci/run", ".gitignore", "hub/x.py")
    (checkout / "hub" / "x.py").unlink()
    assert files(checkout) == (".ci/run", ".gitignore")


def test_where_git_refuses_to_tell_files_are_found_without_it(checkout: Path) -> None:
    (checkout / ".git").write_text("gitdir: nowhere\n", encoding="utf-8")
    assert files(checkout) == ("hub/x.py", "ignored/x.py")


def test_mentions_name_file_and_line(checkout: Path) -> None:
    assert mentions(SYSTEM, checkout) == ["hub/x.py:1", "ignored/x.py:1"]
