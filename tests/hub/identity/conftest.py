"""Ground for the identity tests: a store per test and one moment in time."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.identity import Store


@pytest.fixture(scope="session")
def now() -> datetime:
    """The machine's time to the second: TLS libraries and proxies read the real clock."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Path:
    """A store's folder made once; copying it is ten times quicker than making it."""
    folder = tmp_path_factory.mktemp("pattern") / "identity"
    Store(folder).ensure(now=now)
    return folder


@pytest.fixture
def store(tmp_path: Path, pattern: Path) -> Store:
    """A store of the test's own, with authority and token issuer."""
    return Store(Path(shutil.copytree(pattern, tmp_path / "identity")))
