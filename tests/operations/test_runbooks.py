"""Every alert has a runbook, every runbook the same shape, and every command in it is one that there is, with options that it has."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from checkout import ROOT
from ruamel.yaml import YAML

from hub.cli import main
from metip.telemetry.families import FAMILIES

FOLDER = ROOT / "docs" / "operations"
RUNBOOKS = sorted((FOLDER / "runbooks").glob("*.md"))
SHAPE = ["What it means", "Who is hurt", "Look", "Causes", "Fix", "Check that it is over"]
PAGES = ("estate", "interfaces", "messages", "parallel", "ledger", "mesh")
"""The console's pages."""
STANDING_FOR = {
    "MESSAGE_ID": "6a27c67f-73ab-8a33-8000-00000000000d",
    "CALL_ID": "9b3e8fb9-b77b-4298-a3dc-8f09b547e0c7",
    "TIME": "2026-11-26T04:00:00Z",
    "NUMBER": "3",
    "SPIFFE_ID": "spiffe://metip.local/consumer/tablet",
}
"""What a word in capitals stands for, where a command looks at it while it is read."""
CONSOLE = ROOT / "hub" / "console" / "app" / "src" / "pages"
ADDRESS = re.compile(r"`(/[^`]*)`(?:[,:] \*([^*]+)\*)?")
"""An address of the console, and the heading that a runbook names behind it."""
LONGEST = 190
"""Letters of a line, tables among them."""


@cache
def rules() -> list[dict[str, Any]]:
    """The alerts."""
    read: Any = YAML(typ="safe", pure=True).load(FOLDER / "alerts" / "metip.yaml")
    return [rule for group in read["groups"] for rule in group["rules"] if "alert" in rule]


def text(path: Path) -> str:
    """What a runbook says."""
    return path.read_text(encoding="utf-8")


def commands(page: str) -> list[str]:
    """Commands of `metip` in blocks and in words."""
    blocks = [line.strip() for line in page.splitlines() if re.match(r"\s{4,}metip ", line)]
    return blocks + re.findall(r"`(metip [^`]+)`", page)


COMMANDS = sorted({(path.stem, one) for path in RUNBOOKS for one in commands(text(path))})


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {rule["alert"] for rule in rules()} == {path.stem for path in RUNBOOKS}
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operations/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda one: one.stem)
def test_every_runbook_has_the_same_shape(path: Path) -> None:
    page = text(path)
    assert page.startswith(f"# {path.stem}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == SHAPE
    parts = re.split(r"^## .+$", page, flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)
    assert max(map(len, page.splitlines())) <= LONGEST
    assert "metip " in parts[2], "it says where to look"
    assert commands(parts[2]), "with a command"
    assert "onsole" in parts[2], "and on which page of the console"
    assert commands(parts[5]), "and by what it is seen to be over"


@pytest.mark.parametrize(("runbook", "command"), COMMANDS, ids=[f"{runbook}: {command}" for runbook, command in COMMANDS])
def test_every_command_can_be_given_as_it_stands(runbook: str, command: str) -> None:
    words = [STANDING_FOR.get(word, word) for word in shlex.split(command)[1:]]
    at: click.Command = main
    context = click.Context(main, info_name="metip")
    while isinstance(at, click.Group):
        assert words, f"{command} names no command"
        found = at.get_command(context, words[0])
        assert found is not None, f"{runbook}: there is no {words[0]!r} in {command!r}"
        context = click.Context(found, info_name=words.pop(0), parent=context)
        at = found
    try:
        at.make_context(context.info_name, words, parent=context.parent)
    except click.ClickException as error:
        pytest.fail(f"{runbook}: `{command}`: {error.format_message()}")


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda one: one.stem)
def test_every_link_and_metric_in_it_is_one_that_there_is(path: Path) -> None:
    page = text(path)
    for target in re.findall(r"\]\(([^)]+)\)", page):
        assert (path.parent / target).exists(), target
    known = {*FAMILIES, *(f"{name}_bucket" for name in FAMILIES)}
    assert set(re.findall(r"\bmetip_[a-z0-9_]+", page)) <= known


def addresses() -> list[tuple[str, str, str]]:
    """Where each address of the console stands, the address, and the heading that is named behind it."""
    found = [(path.stem, address, named) for path in RUNBOOKS for address, named in re.findall(ADDRESS, text(path))]
    return found + [(rule["alert"], rule["annotations"]["console"], "") for rule in rules()]


@pytest.mark.parametrize(("where", "address", "heading"), addresses(), ids=[f"{where}: {address}" for where, address, _ in addresses()])
def test_the_console_has_the_page_the_filters_the_place_and_the_heading(where: str, address: str, heading: str) -> None:
    path, _, fragment = address.partition("#")
    page, _, query = path.removeprefix("/").partition("?")
    assert page.partition("/")[0] in PAGES, where
    sources = "".join(text(one) for one in sorted((CONSOLE / page.partition("/")[0]).rglob("*.tsx")))
    for key in re.findall(r"(?:^|&)(\w+)=", query):
        assert f'useFilter("{key}"' in sources, f"{where}: the page has no filter {key}"
    assert not fragment or f'id="{fragment}"' in sources, f"{where}: nothing on the page is called {fragment}"
    assert heading in sources, f"{where}: nothing on the page is headed {heading}"


@pytest.mark.parametrize("rule", rules(), ids=lambda one: one["alert"])
def test_every_alert_says_how_urgent_it_is_what_it_is_and_where_it_is_seen(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
