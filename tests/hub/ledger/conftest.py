"""A clean ledger, a copy of it to be altered, and the engines that everything must hold for."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from altering import GROUPS, Clean, written
from ledger_engines import Engines
from postgres import Postgres

from hub.ledger.postgres.connecting import Server


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """A ledger of three journals, closed; each checkpoint but the last is cosigned."""
    path = tmp_path_factory.mktemp("clean") / "ledger.sqlite"
    return Clean(path, written(path, GROUPS))


@pytest.fixture
def copy(clean: Clean, tmp_path: Path) -> Path:
    """A copy to be altered."""
    return Path(shutil.copy(clean.path, tmp_path))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server; an account on it is made for each test that asks."""
    found = Postgres()
    yield found
    found.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Engines:
    """Each engine in turn."""
    return Engines(tmp_path, request.getfixturevalue("postgres") if request.param == "postgres" else None)


@pytest.fixture
def server(engines: Engines) -> Server | None:
    """An account on the server whose turn it is; None for the embedded engine."""
    return engines.server()
