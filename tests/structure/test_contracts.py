"""The contracts as a whole: they load, they keep buf's rules, they import nothing foreign, and they break nobody who has the last ones."""

import importlib.resources
from datetime import date
from pathlib import Path

import pytest
from contract_sets import buf, compiled_at, imports_of, newest_main
from google.protobuf.descriptor_pb2 import FileDescriptorSet

import metip.contracts as contracts

ASSESSED = date(2026, 11, 23)
"""The day on which every assessment must be in date. One that lapses later is shown by `metip check`; tests do not fail by the calendar."""
ALLOWED_IMPORTS = ("google/protobuf/", "buf/validate/", "metip/")


@pytest.fixture(scope="module")
def installed() -> bytes:
    """The descriptor set that `make gen` wrote."""
    return importlib.resources.files("metip.contracts").joinpath(contracts.DESCRIPTORS).read_bytes()


@pytest.fixture
def image(installed: bytes, tmp_path: Path) -> Path:
    """The same as a file that buf reads."""
    path = tmp_path / "installed.binpb"
    path.write_bytes(installed)
    return path


def test_every_contract_loads(installed: bytes) -> None:
    read = contracts.read(installed, today=ASSESSED)
    assert [str(fault) for fault in read.faults] == []
    assert read.interfaces


def test_contracts_keep_the_lint_rules(image: Path) -> None:
    assert buf("lint", str(image)) == ""


def test_the_lint_rules_have_teeth(installed: bytes, tmp_path: Path) -> None:
    spoilt = FileDescriptorSet.FromString(installed)
    for file in spoilt.file:
        if file.name.startswith("metip/") and file.service:
            file.service[0].method[0].name = "lower_case"
    path = tmp_path / "spoilt.binpb"
    path.write_bytes(spoilt.SerializeToString())
    assert "lower_case" in buf("lint", str(path))


def test_contracts_import_only_protobuf_the_rules_and_one_another(installed: bytes) -> None:
    own = {name: imports for name, imports in imports_of(installed).items() if name.startswith("metip/")}
    foreign = {name: [one for one in imports if not one.startswith(ALLOWED_IMPORTS)] for name, imports in own.items()}
    assert {name: found for name, found in foreign.items() if found} == {}


def test_a_contract_lies_where_its_package_says(installed: bytes) -> None:
    own = [file for file in FileDescriptorSet.FromString(installed).file if file.name.startswith("metip/")]
    assert [file.name for file in own if file.name.rpartition("/")[0] != file.package.replace(".", "/")] == []


def test_nothing_breaks_whoever_has_the_contracts_of_main(image: Path, tmp_path: Path) -> None:
    commit = newest_main()
    if commit is None:
        pytest.skip("there is no git history here to compare with")
    before = tmp_path / "before"
    before.mkdir()
    old = tmp_path / "old.binpb"
    old.write_bytes(compiled_at(commit, before))
    assert buf("breaking", str(image), "--against", str(old)) == ""


def test_a_field_that_goes_without_being_reserved_is_found(installed: bytes, image: Path, tmp_path: Path) -> None:
    changed = FileDescriptorSet.FromString(installed)
    file = next(file for file in changed.file if file.name == "metip/common/v1/access.proto")
    del file.message_type[0].field[-1]
    path = tmp_path / "changed.binpb"
    path.write_bytes(changed.SerializeToString())
    assert "AccessContext" in buf("breaking", str(path), "--against", str(image))
