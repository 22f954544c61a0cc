"""Each question that envoy/README.md answers with Envoy's admin interface alone is asked, and answered."""

import re
import subprocess
from pathlib import Path

import pytest
from mesh_rig import MeshRig

pytestmark = pytest.mark.asyncio(loop_scope="session")
README = Path(__file__).parents[2] / "envoy" / "README.md"
LINES = re.findall(r"\| `(curl .*?)` \|", README.read_text())
HARMLESS = [line for line in LINES if "drain_listeners" not in line]


def _id(line: str) -> str:
    return line.rpartition("http://envoy/")[2].strip("'")


@pytest.mark.parametrize("line", HARMLESS, ids=_id)
async def test_a_line_of_the_readme_works_as_printed(line: str, mesh: MeshRig) -> None:
    assert len(LINES) >= 12
    command = f"A={mesh.home.admin_socket}; {line.replace('curl -s', 'curl -sf')}"
    asked = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=10)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() or "filter=update_rejected" in line
