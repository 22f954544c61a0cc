"""Each question that envoy/README.md answers with Envoy's admin interface alone is asked, and answered."""

import re
from pathlib import Path

import pytest
from mesh_rig import MeshRig

README = Path(__file__).parents[2] / "envoy" / "README.md"
LINES = re.findall(r"\| `(curl -s .*?--unix-socket \$A .*?)` \|", README.read_text())
DISRUPTIVE = "drain_listeners"
ANSWERED_LATER = ("update_rejected", "grpc")
"""Counters that Envoy has only once there was something to count."""


NAMED = (("$I", "metip.none.v1.NoService"), ("$B", "none/metip.none.v1.NoService"))
"""What no interface is called: that each line on traffic does what it says is seen in `test_traffic`."""


def _path(line: str) -> str:
    path = "/" + line.rpartition("http://envoy/")[2].rstrip("'\"")
    for short, name in NAMED:
        path = path.replace(short, name)
    return path


def test_every_line_is_found() -> None:
    assert len(LINES) == README.read_text().count("http://envoy/") >= 12


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("line", [line for line in LINES if DISRUPTIVE not in line], ids=_path)
async def test_a_line_of_the_readme_is_answered(line: str, mesh: MeshRig) -> None:
    answer = await (mesh.admin.post(_path(line)) if "-X POST" in line else mesh.admin.get(_path(line)))
    assert "invalid path" not in answer
    assert answer.strip() or any(word in line for word in ANSWERED_LATER)
