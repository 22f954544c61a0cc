"""A clean ledger, and a copy of it to be altered."""

import shutil
from pathlib import Path

import pytest
from altering import GROUPS, Clean, written


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """A ledger of three journals, closed; each checkpoint but the last is cosigned."""
    path = tmp_path_factory.mktemp("clean") / "ledger.sqlite"
    return Clean(path, written(path, GROUPS))


@pytest.fixture
def copy(clean: Clean, tmp_path: Path) -> Path:
    """A copy to be altered."""
    return Path(shutil.copy(clean.path, tmp_path))
