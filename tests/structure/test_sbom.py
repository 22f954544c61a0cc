"""The bill of materials holds every release of the lock, with its hashes, and is the same each time."""

import importlib.util
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from checkout import ROOT, text

LOCK = "locks/runtime.txt"


def written() -> bytes:
    """What `make sbom` writes."""
    return subprocess.run([sys.executable, str(ROOT / "locks" / "sbom.py")], capture_output=True, check=True).stdout


def module() -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "locks" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_every_release_of_the_lock_is_in_it_with_all_its_hashes() -> None:
    found = {(one["name"], one["version"]): {hash_["content"] for hash_ in one["hashes"]} for one in json.loads(written())["components"]}
    lock = text(LOCK)
    assert set(found) == set(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", lock, re.MULTILINE))
    assert set().union(*found.values()) == set(re.findall(r"sha256:([0-9a-f]{64})", lock))
    assert all(found.values())


def test_it_is_a_cyclonedx_document_and_the_same_each_time() -> None:
    document = json.loads(written())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document["serialNumber"])
    (root,) = document["dependencies"]
    assert set(root["dependsOn"]) == {one["bom-ref"] for one in document["components"]}
    assert all(one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" for one in document["components"])
    assert written() == written()


def test_a_lock_with_a_line_that_is_no_release_is_refused() -> None:
    with pytest.raises(ValueError, match="no release"):
        module().components("-e .\n" + text(LOCK))
