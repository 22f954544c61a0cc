"""The example contract for tests of the command line, compiled once."""

from datetime import date

import pytest
from example_contract import descriptor_set

from hub.cli.messages import Messages
from hub.contracts import load


@pytest.fixture(scope="session")
def example_set(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The example contract as a FileDescriptorSet."""
    return descriptor_set(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="session")
def messages(example_set: bytes) -> Messages:
    """Messages of the example contract."""
    return Messages(load(date(2026, 11, 23), descriptor_set=example_set))
