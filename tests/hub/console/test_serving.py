"""The console's files: what is given out under which path, what is refused, and that nothing outside the folder is ever among it."""

import os
import stat
from pathlib import Path

import aiohttp
import pytest

from hub.console.serving import ASK_AGAIN, FOR_EVER, HEADERS, Site, read_site, serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small site, with things beside it and in it that are nobody's business."""
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>console</title>")
    (site / "assets" / "index-4f3a.js").write_text("console")
    (site / "assets" / "font.woff2").write_bytes(b"\0font")
    (site / "icon.svg").write_text("<svg/>")
    (site / ".secret").write_text("hidden")
    (tmp_path / "key.pem").write_text("PRIVATE")
    (site / "linked.txt").symlink_to(tmp_path / "key.pem")
    (site / "assets" / "up").symlink_to(tmp_path)
    return site


def test_every_file_of_the_folder_is_read_and_nothing_else(folder: Path) -> None:
    found = read_site(folder)
    assert set(found) == {"/index.html", "/assets/index-4f3a.js", "/assets/font.woff2", "/icon.svg"}
    assert {name: one.kind for name, one in found.items()} == {
        "/index.html": "text/html; charset=utf-8",
        "/assets/index-4f3a.js": "application/javascript; charset=utf-8",
        "/assets/font.woff2": "font/woff2",
        "/icon.svg": "image/svg+xml; charset=utf-8",
    }


def test_what_has_a_hash_in_its_name_is_kept_for_ever_and_the_page_is_asked_for_again(folder: Path) -> None:
    found = read_site(folder)
    assert found["/assets/index-4f3a.js"].caching == FOR_EVER
    assert found["/index.html"].caching == found["/icon.svg"].caching == ASK_AGAIN


@pytest.mark.parametrize("path", ["/", "/estate", "/messages/0192f", "/interfaces/metip.example.v1.ExampleService", "/ledger/7"])
def test_the_address_of_a_page_is_the_page(path: str, folder: Path) -> None:
    found = Site(folder).find(path)
    assert found is not None
    assert b"<title>console" in found.content


@pytest.mark.parametrize(
    "path",
    [
        "",
        "//",
        "/assets",
        "/assets/",
        "/assets/none.js",
        "/none.js",
        "/.secret",
        "/linked.txt",
        "/assets/up/key.pem",
        "/../key.pem",
        "/assets/../../key.pem",
        "/%2e%2e/key",
        "/%2E%2E/key",
        "/a/../../key",
        "/a\\..\\key",
        "/a\x00b",
        "/metip.hub.v1.MeshService/GetMesh",
        "/grpc.health.v1.Health/Check",
        f"/{'a' * 2000}",
    ],
)
def test_no_other_path_gives_anything(path: str, folder: Path) -> None:
    assert Site(folder).find(path) is None


def test_a_site_that_was_built_anew_is_given_out_without_a_restart(folder: Path) -> None:
    site = Site(folder)
    assert site.find("/assets/index-9c1d.js") is None
    (folder / "assets" / "index-9c1d.js").write_text("newer")
    (folder / "index.html").write_text("<!doctype html><title>newer</title>")
    os.utime(folder / "index.html", ns=(1, 1))
    page = site.find("/estate")
    assert page is not None
    assert b"newer" in page.content
    assert site.find("/assets/index-9c1d.js") is not None


def test_where_nothing_was_built_there_is_nothing(tmp_path: Path) -> None:
    assert Site(tmp_path / "missing").find("/") is None


@pytest.mark.asyncio
async def test_only_the_sockets_owner_reaches_it_and_each_answer_carries_the_policy(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "console.sock"
    async with serving(path, folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session:
            for method, place, status in (("GET", "/estate", 200), ("HEAD", "/", 200), ("GET", "/none.js", 404), ("POST", "/", 404)):
                async with session.request(method, f"http://console{place}") as answer:
                    assert (answer.status, dict(HEADERS)) == (status, {name: answer.headers[name] for name in HEADERS}), (method, place)
            async with session.get("http://console/") as first:
                tag = first.headers["etag"]
            async with session.get("http://console/", headers={"if-none-match": tag}) as again:
                assert again.status == 304


@pytest.mark.asyncio
async def test_a_socket_that_was_left_behind_is_no_obstacle(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "console.sock"
    for _ in range(2):
        async with serving(path, folder):
            assert path.is_socket()
