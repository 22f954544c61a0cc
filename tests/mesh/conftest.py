"""One estate for all tests that leave it as they found it; tests that break it start their own.

A new module uses the shared one where it can: it takes the fixture `mesh` and says
`pytestmark = pytest.mark.asyncio(loop_scope="session")`, by which `tests/support/lanes.py` knows it and runs it with the others of its
kind, on one worker. What it changes it puts back even when a test fails: dials by `mesh.dials`, weights by `mesh.served_by`, files of the
home. It counts what its own calls did, not what the estate did.

A module that kills, stops, fills or re-configures has a fixture of its own, of the module's scope, around `running_mesh(folder,
systems=(…,))` with no more systems than it calls: a whole estate is 22 processes and takes 16 s of processor time to start, one of a
single system 5 and 4 s. Where no adapter is needed, `edge_rig.running_edge` is an Envoy with a far side in the test's own process. Ports
come from `free_ports`, whose ranges differ from worker to worker, homes from `tmp_path_factory`. Estates run one at a time beside other
tests while there are others, and then side by side: nothing may be fixed.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from command_line import metip
from mesh_rig import MeshRig, running_mesh, until

from hub.ledger.edge import GRACE

UNWATCHED = "watch: {way_back: 1s, error_percent: 100, slow_percent: 100, parity_percent: 0}\n"
"""Faults are played here on purpose: what one test moved must not go back by itself because of another's."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """A running estate, shared. Whatever was asked of it in the meantime is in its ledger."""
    async with running_mesh(tmp_path_factory.mktemp("mesh"), console=True) as rig:
        rig.home.migration.write_text(UNWATCHED)
        yield rig
        await balanced(rig)


async def balanced(rig: MeshRig) -> None:
    """Returns once every call that was answered has its record. One is missing for good after `GRACE`."""
    books: dict[str, Any] = {}

    async def settled() -> bool:
        books.update((await metip(rig.home.root, "ledger", "status", "--json")).json["reconciliation"])
        return not books["waiting"]

    await until(settled, within=GRACE + 30)
    assert books["missing_calls"] == [], f"{books['missing']} of {books['answered']} answered calls have no record"
    assert books["answered"] == books["recorded"] > 0
