"""The console's site as it is committed: it asks its own origin alone, runs nothing inline, is small, and is what its sources build."""

import filecmp
import gzip
import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from hub.console import building
from hub.console.building import APP, SITE

pytestmark = pytest.mark.timeout(420)  # packages are installed where that was not done yet

BUDGET: Final = 300_000
"""Bytes of the whole site as Envoy sends it, compressed; its licences aside, which nobody's browser asks for."""
LONGEST: Final = 150
"""Lines of a component."""
NAMESPACES: Final = ("http://www.w3.org/",)
"""Names of markup languages, which are no addresses."""
ADDRESS: Final = re.compile(r"""(?:https?:|wss?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s"'`)]*""", re.IGNORECASE)
OF_THE_PAGE: Final = [path for path in sorted(SITE.rglob("*")) if path.is_file() and path.name != "THIRD-PARTY-LICENCES"]
SOURCES: Final = [path for path in sorted((APP / "src").rglob("*.ts*")) if not path.name.endswith(".test.ts")]


def _missing() -> None:
    if gone := building.missing():
        pytest.skip(f"THE CONSOLE CAN'T BE BUILT HERE, SO THAT ITS SITE IS WHAT ITS SOURCES SAY IS NOT PROVED: {', '.join(gone)} not found")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew elsewhere."""
    _missing()
    folder = tmp_path_factory.mktemp("site") / "site"
    building.build(folder)
    return folder


@pytest.mark.parametrize("path", OF_THE_PAGE, ids=lambda path: path.name)
def test_no_file_names_another_origin(path: Path) -> None:
    named = [found for found in ADDRESS.findall(path.read_text(encoding="utf-8")) if not found.startswith(NAMESPACES)]
    assert named == []


@pytest.mark.parametrize("path", OF_THE_PAGE, ids=lambda path: path.name)
def test_nothing_is_run_from_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function\(|javascript:|document\.write|insertAdjacentHTML|url\(", text)


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    page = (SITE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"<base|http-equiv", page)


def test_what_is_named_by_the_page_is_there() -> None:
    page = (SITE / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert len(named) >= 3
    assert [name for name in named if not (SITE / name[1:]).is_file()] == []


def test_the_site_is_small() -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in OF_THE_PAGE}
    assert sum(sizes.values()) < BUDGET, sizes


def test_the_licence_of_everything_in_the_bundle_comes_with_it() -> None:
    told = (SITE / "THIRD-PARTY-LICENCES").read_text(encoding="utf-8")
    wanted = json.loads((APP / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert [name for name, version in wanted.items() if f"{name} {version} (" not in told] == []


def test_the_lock_says_what_is_installed_and_not_where_from() -> None:
    packages = json.loads((APP / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []


def test_sources_set_no_style_attribute_and_no_markup_from_text() -> None:
    """The content policy of the site would not let them."""
    assert [
        path.name for path in SOURCES if re.search(r"dangerouslySetInnerHTML|innerHTML|\sstyle=[{\"]", path.read_text(encoding="utf-8"))
    ] == []


def test_no_component_is_long() -> None:
    assert [path.name for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST] == []


def test_each_source_says_what_it_is() -> None:
    assert [path.name for path in SOURCES if not path.read_text(encoding="utf-8").startswith("/**")] == []


def test_the_site_is_what_its_sources_build_byte_for_byte(built: Path) -> None:
    names = sorted(str(path.relative_to(built)) for path in built.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*") if path.is_file()), "run `make console`"
    assert filecmp.cmpfiles(built, SITE, names, shallow=False) == (names, [], []), "run `make console`"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("command", ["check", "test"])
def test_sources_pass(command: str) -> None:
    """Types and lint; then the unit tests of what is pure."""
    done = subprocess.run(["npm", "run", "--silent", command], cwd=APP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
