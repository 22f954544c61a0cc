"""How tests are shared between workers (`pytest -n 3`): one estate at a time beside modules that need none, then what measures, alone.

An estate is a hub, an Envoy and adapters in processes of their own. Most of its time is spent waiting for them to start, to notice and to
stop, as most of any other test's is for a socket or a time limit: three modules side by side, one of them with an estate, take little more
than one of two cores. What fills the machine on purpose has it to itself: it is one unit of work, which one worker begins when the others
have been sent home.

The shared estate comes first, beside the modules with most tests, which are pure; then the estates with most tests, since those with few
start a whole estate for each. They come when nothing is left but estates, the longest first.

A module is a unit of work, always one worker's. All modules that use the shared estate of `tests/mesh/conftest.py` are one unit together,
so that it is started once: they are told by their tests' loop, which must be the session's.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ESTATES: Final = ("tests/mesh/", "tests/faults/")
"""Folders whose modules each start an estate, or use the shared one."""
ALONE: Final = ("tests/bench/",)
"""Folders whose tests run after all others, one after the other, in the order in which they were collected."""
SHARED: Final = "tests/mesh/, on the shared estate"
SESSION: Final = 'loop_scope="session"'
ALMOST_DONE: Final = 2
"""Tests that a worker has left when it is given more; it never begins its last one before it knows whether there are."""


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Gives each worker unit after unit: estates to one worker while there is anything else."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ALONE):
            return ""
        module = nodeid.partition("::")[0]
        return SHARED if nodeid.startswith(ESTATES) and _shares(self.config.rootpath / module) else module

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker that died, of a time limit for instance, leaves to the others what it had not done; the test that it died of has failed.

        Units that it had done are no work any more: whoever was given one would wait for ever for its end.
        """
        work: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        left = [(unit, done) for unit, done in work.items() if not all(done.values())]
        if not left:
            return None
        first = left[0][1]
        died_of = next(test for test, over in first.items() if not over)
        first[died_of] = True
        self.workqueue.update({unit: done for unit, done in left if not all(done.values())})
        for other in self.nodes:
            self._reschedule(other)
        return died_of

    def _reschedule(self, node: WorkerController) -> None:
        others = [one for one in self.nodes if one is not node and not one.shutting_down]
        if list(self.workqueue) == [""] and others and not node.shutting_down:
            if self._pending_of(self.assigned_work[node]) <= ALMOST_DONE:
                node.shutdown()
            return
        super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        taken = any(self._has_estate(one) for one in self.nodes if one is not node)
        self.workqueue.move_to_end(min(self.workqueue, key=lambda unit: self._place(unit, estates_last=taken)), last=False)
        super()._assign_work_unit(node)

    def _place(self, unit: str, *, estates_last: bool) -> tuple[int, int]:
        """Smaller for a unit that is to be begun sooner."""
        tests = len(self.workqueue[unit])
        if not _is_estate(unit):
            return (1 if unit else 3, -tests)
        if unit == SHARED:
            return (2 if estates_last else 0, -len(self.collection))
        return (2 if estates_last else 0, tests if all(map(_is_estate, filter(None, self.workqueue))) else -tests)

    def _has_estate(self, node: WorkerController) -> bool:
        work: Mapping[str, Mapping[str, bool]] = self.assigned_work[node]
        return any(_is_estate(unit) and not all(done.values()) for unit, done in work.items())


def _is_estate(unit: str) -> bool:
    return unit.startswith(ESTATES)


@cache
def _shares(module: Path) -> bool:
    return SESSION in module.read_text(encoding="utf-8")
