"""Shared by all tests: the event loop of production, pytest-grpc's fixtures made to fit grpc.aio, the watch for personal data."""

import asyncio
import gc
from collections.abc import Callable, Generator
from typing import Any

import leak_watch
import pytest
import uvloop
from lanes import Lanes
from leak_watch import (  # noqa: F401 - pytest finds them here
    _where_files_are,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

leak_watch.listen()


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Runs asyncio tests on uvloop, as every process of the product does."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def grpc_addr(tmp_path_factory: pytest.TempPathFactory) -> str:
    """pytest-grpc's address: a unix socket, since its own choice of a free port races."""
    return f"unix:{tmp_path_factory.mktemp('grpc') / 's'}"


@pytest.fixture(scope="module")
def grpc_channel(grpc_server: Any) -> Any:
    """pytest-grpc's channel: the one that the overridden server fixture opened on its own loop."""
    return grpc_server


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden` rewrites golden files instead of comparing with them."""
    parser.addoption("--golden", action="store_true", help="rewrite golden files, then compare")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """Thousands of tests that live to the end are not looked through for garbage again and again, neither now nor in each test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """How `-n` shares tests between workers."""
    return Lanes(config, log)
