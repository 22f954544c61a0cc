"""How tests are shared between workers (`pytest -n 2`): modules side by side first, then what is about time and outages, alone.

Most tests wait for a socket, a time limit or a process more than they compute, so two at a time end in little more than half the time. A
real mesh, an outage and a benchmark must have the machine to themselves: they are one unit of work, which one worker begins when the others
have been sent home.
"""

from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ALONE: Final = ("tests/mesh/", "tests/faults/", "tests/bench/")
"""Folders whose tests run after all others, one after the other, in the order in which they were collected."""
ALMOST_DONE: Final = 2
"""Tests that a worker has left when it is given more; it never begins its last one before it knows whether there are."""


class TwoParts(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Gives each worker module after module, those with most tests first; whoever is left at the end gets what runs alone."""

    def _split_scope(self, nodeid: str) -> str:
        return "" if nodeid.startswith(ALONE) else nodeid.partition("::")[0]

    def _reschedule(self, node: WorkerController) -> None:
        others = [one for one in self.nodes if one is not node and not one.shutting_down]
        if list(self.workqueue) == [""] and others and not node.shutting_down:
            if self._pending_of(self.assigned_work[node]) <= ALMOST_DONE:
                node.shutdown()
            return
        super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if "" in self.workqueue:
            self.workqueue.move_to_end("")
        super()._assign_work_unit(node)
