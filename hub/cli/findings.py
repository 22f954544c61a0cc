"""What `metip check` finds: one thing looked at, how it is, and what to do when it is not right."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.cli.printing import FAILED, OK, SKIPPED, WARNED

IDENTITY, CONTRACTS, SETTINGS, PROCESSES = "identity", "contracts", "settings", "processes"
HUB, ENVOY, INTERFACES, TRAFFIC, LEDGER, EDGE, SIMULATORS = "hub", "envoy", "interfaces", "traffic", "ledger", "edge", "simulators"
SECTIONS = (IDENTITY, CONTRACTS, SETTINGS, PROCESSES, HUB, ENVOY, INTERFACES, TRAFFIC, LEDGER, EDGE, SIMULATORS)


@dataclass(frozen=True)
class Finding:
    """One tick or cross."""

    section: str
    what: str
    """What is so when it is right, or what is wrong when it is not."""
    state: str = OK
    fix: str = ""

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {"section": self.section, "what": self.what, "state": self.state, "fix": self.fix}


@dataclass(frozen=True)
class Section:
    """Makes findings of one section."""

    name: str

    def right(self, what: str) -> Finding:
        """Something is as it must be."""
        return Finding(self.name, what)

    def wrong(self, what: str, fix: str) -> Finding:
        """Something is not as it must be."""
        return Finding(self.name, what, FAILED, fix)

    def doubtful(self, what: str, fix: str) -> Finding:
        """Something works, but somebody should know."""
        return Finding(self.name, what, WARNED, fix)

    def unknown(self, what: str) -> Finding:
        """Something could not be looked at, or need not be."""
        return Finding(self.name, what, SKIPPED)

    def judged(self, right: bool, what: str, problem: str, fix: str) -> Finding:
        """One or the other."""
        return self.right(what) if right else self.wrong(problem, fix)

    def faults_or(self, what: str, faults: Iterable[tuple[str, str, bool]]) -> Iterator[Finding]:
        """Each fault as (problem, fix, whether it is an error); where there is none, that it is as it must be."""
        found = [self.wrong(problem, fix) if error else self.doubtful(problem, fix) for problem, fix, error in faults]
        yield from found or [self.right(what)]
