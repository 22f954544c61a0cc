"""The pages of the site before Sphinx: every operation and message has its place, every link one end, nothing is fetched."""

import re
from collections import Counter
from pathlib import Path

import pytest
from checkout import ROOT

from hub.catalogue.elements import elements
from hub.catalogue.pages import catalogue, pages
from hub.catalogue.prose import plain, table, target
from hub.catalogue.written import indexes, written
from hub.cli.messages import installed
from hub.stubs import chosen

KNOWN = catalogue(installed())
GENERATED = dict(pages(KNOWN))
WRITTEN = written(ROOT)
SITE = {**GENERATED, **WRITTEN, **dict(indexes(WRITTEN))}
TARGETS = Counter(found for text in GENERATED.values() for found in re.findall(r"^\((x-[a-z0-9-]+)\)=$", text, re.MULTILINE))


def test_each_interface_has_a_page_with_all_its_operations() -> None:
    for one in KNOWN.offered:
        page = GENERATED[f"interfaces/{one.name}"]
        assert all(f"({target(operation.name)})=" in page for operation in one.operations), one.name
        assert one.dpia.reference in page


def test_each_message_and_enum_that_a_consumer_meets_has_one_place() -> None:
    kinds = [kind for one in KNOWN.offered for operation in one.operations for kind in (operation.request, operation.reply)]
    met = KNOWN.elements.used_by(*kinds)
    assert {name: TARGETS[target(name)] for name in met if TARGETS[target(name)] != 1} == {}


def test_no_two_elements_share_an_anchor() -> None:
    assert [name for name, times in TARGETS.items() if times > 1] == []


@pytest.mark.parametrize("page", GENERATED)
def test_links_of_a_generated_page_lead_somewhere(page: str) -> None:
    wanted = set(re.findall(r"\]\(#(x-[a-z0-9-]+)\)", GENERATED[page]))
    assert wanted - TARGETS.keys() == set()
    assert {path for path in re.findall(r"\]\(/([^)#]+)\.md\)", GENERATED[page]) if path not in SITE} == set()


def test_links_of_written_pages_lead_to_pages_of_the_site() -> None:
    lost = []
    link = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s#]+)(?:#[^)]*)?\)")
    for page, text in WRITTEN.items():
        for wanted in link.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            here = ROOT if wanted.startswith("/") else (ROOT / page).parent
            at = (here / wanted.lstrip("/")).resolve().relative_to(ROOT).as_posix()
            lost += [] if "://" in wanted or at.removesuffix(".md") in SITE else [f"{page}: {wanted}"]
    assert lost == []


def test_every_page_of_people_is_in_the_contents() -> None:
    listed = {line.strip("/ ").partition("</")[2].rstrip(">") or line.lstrip("/") for text in SITE.values() for line in _entries(text)}
    assert {page for page in SITE if page not in listed} == {"index"}


def _entries(text: str) -> list[str]:
    blocks: list[str] = re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL)
    return [line for one in blocks for line in one.splitlines() if line and not line.startswith(":")]


def test_a_link_to_a_file_that_the_site_lacks_becomes_its_path(tmp_path: Path) -> None:
    (tmp_path / "docs" / "decisions").mkdir(parents=True)
    (tmp_path / "code.py").touch()
    (tmp_path / "docs" / "decisions" / "0001-x.md").write_text("# X\n")
    (tmp_path / "README.md").write_text(
        "[code](code.py), [why](docs/decisions), [x](docs/decisions/0001-x.md), [gone](gone.md)\n```\n[a](code.py)\n```\n"
    )
    assert written(tmp_path)["README"] == (
        "code (`code.py`), [why](/docs/decisions/index.md), [x](docs/decisions/0001-x.md), [gone](gone.md)\n```\n[a](code.py)\n```\n"
    )


def test_prose_is_no_markup_but_between_backticks() -> None:
    assert plain("A_B *c* `d_e`\n <f>") == r"A\_B \*c\* `d_e` \<f\>"
    assert list(table(("a",), [("x|y",)]))[2] == r"| x\|y |"
    assert list(table(("a",), [])) == []


def test_comments_are_found_at_their_elements() -> None:
    found = elements(chosen(KNOWN.messages.contracts.descriptor_set))
    assert found.said("metip.common.v1.AccessContext.reference").startswith("Names the incident, crime or case")
    without = [name for name in found.messages if name not in found.entries and name.startswith("metip.") and not found.said(name)]
    assert without == []
