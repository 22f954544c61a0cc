"""Writes a bill of materials (CycloneDX 1.6, JSON) of what an installation runs, from `locks/runtime.txt` alone.

The same lock gives the same bytes: no clock, no random number, and no network. Hashes are those of every file of a release that the lock
lets in. Usage: `python locks/sbom.py [LOCK] > sbom.json`.
"""

import json
import re
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("runtime.txt")
PROJECT = Path(__file__).parent.parent / "pyproject.toml"
# A release, the Pythons and systems that it is for, and the hashes of its files, over lines that end in a backslash.
RELEASE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\\n]+?))? \\\n(?P<hashes>(?: +--hash=.*\n?)+)", re.MULTILINE
)


def components(lock: str) -> list[dict[str, Any]]:
    """The releases of a lock, by name. Raises ValueError for a lock in which a line is none of them."""
    found = list(RELEASE.finditer(lock))
    if "".join(one.group() for one in found) != lock:
        raise ValueError("the lock holds something that is no release with hashes")
    return sorted(map(_component, found), key=lambda one: str(one["bom-ref"]))


def _component(release: re.Match[str]) -> dict[str, Any]:
    name, version = release["name"].lower().replace("_", "-"), release["version"].strip()
    place = f"pkg:pypi/{name}@{version}"
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": place,
        "name": name,
        "version": version,
        "purl": place,
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": content} for content in re.findall(r"sha256:([0-9a-f]{64})", release["hashes"])],
    }
    if release["marker"]:
        made["properties"] = [{"name": "metip:marker", "value": release["marker"].strip()}]
    return made


def bill(lock: str, version: str) -> dict[str, Any]:
    """The whole document."""
    found = components(lock)
    platform = {"type": "application", "bom-ref": f"metip@{version}", "name": "metip", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, version + lock)}",
        "version": 1,
        "metadata": {"component": {**platform, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": found,
        "dependencies": [{"ref": platform["bom-ref"], "dependsOn": [one["bom-ref"] for one in found]}],
    }


def main(said: Sequence[str]) -> int:
    """Prints the bill of a lock."""
    import tomllib

    lock = (Path(said[0]) if said else LOCK).read_text(encoding="utf-8")
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    sys.stdout.write(json.dumps(bill(lock, version), indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
