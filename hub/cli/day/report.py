"""What a day came to, and whether it came off well; pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.cli.day.accounts import Account, Backlog, Cause, percentile
from hub.cli.day.player import Tally

GROWTH: Final = 0.10
"""A process's memory is flat when it grows by no more than this share between the middle and the end of a day."""
SHARES: Final = (50, 99)


@dataclass(frozen=True)
class Memory:
    """Resident bytes of one process."""

    start: int
    middle: int
    end: int

    @property
    def growth(self) -> float:
        """From the middle to the end, as a share; by then caches and pools are filled."""
        return (self.end - self.middle) / max(self.middle, 1)

    @property
    def flat(self) -> bool:
        """Whether it keeps within the bound."""
        return self.growth <= GROWTH


@dataclass
class Report:
    """A day that was played."""

    simulated: float
    """Seconds."""
    took: float
    tallies: list[Tally]
    before: Mapping[str, Account]
    after: Mapping[str, Account]
    backlog: Backlog = field(default_factory=Backlog)
    waiting: Counter[Cause] = field(default_factory=Counter)
    """What was not delivered, by cause; what waited for a person before the day began is left out."""
    delays: Mapping[str, list[float]] = field(default_factory=dict)
    """Seconds from acceptance to arrival, in order, by subscription."""
    memory: Mapping[str, Memory] = field(default_factory=dict)
    restarted: list[str] = field(default_factory=list)
    """Processes that ended on the way and were started again."""
    posts: Mapping[str, str] = field(default_factory=dict)
    """By subscription, the one in whose place it delivers or itself: of each message one of those of one post is given it."""

    @property
    def failed(self) -> int:
        """Calls that came to nothing or were not made."""
        return sum(one.failed + one.given_up for one in self.tallies)

    @property
    def accounts(self) -> dict[str, Account]:
        """What the day's messages came to, by subscription."""
        return {name: one.since(self.before.get(name)) for name, one in self.after.items()}

    @property
    def accepted(self) -> dict[str, int]:
        """Messages that were accepted, by operation: receipts that came to us, or what one of its posts was given if more."""
        found: dict[str, int] = {}
        for one in self.tallies:
            if one.traffic.operation.delivery is not None and one.traffic.template is not None:
                found[one.traffic.operation.name] = found.get(one.traffic.operation.name, 0) + one.ends["OK"]
        for name in self.after:
            operation = name.partition(":")[2]
            found[operation] = max(found.get(operation, 0), sum(self.accounts[one].given for one in self._beside(name)))
        return found

    def accepted_of(self, name: str) -> int:
        """Messages for a subscription: those that were accepted, and those that were pending when the day began. Of several that share a
        post, those that it was given."""
        accepted = self.accepted[name.partition(":")[2]] if len(self._beside(name)) == 1 else self.accounts[name].given
        return accepted + self.accounts[name].brought

    def lost_of(self, name: str) -> int:
        """Messages that were accepted and are in no entry of a subscription's account. Of several that share a post, all stand at the one
        whose post it is."""
        if self._post(name) != name:
            return 0
        return max(0, self.accepted[name.partition(":")[2]] - sum(self.accounts[one].given for one in self._beside(name)))

    def _post(self, name: str) -> str:
        return self.posts.get(name, name)

    def _beside(self, name: str) -> list[str]:
        """The subscriptions of the same post, itself among them."""
        return [one for one in self.after if self._post(one) == self._post(name)]

    @property
    def lost(self) -> int:
        """The same of all subscriptions."""
        return sum(map(self.lost_of, self.after))

    @property
    def pending(self) -> int:
        """Deliveries that had not come to rest when we stopped waiting."""
        return sum(one.pending for one in self.after.values())

    @property
    def flat(self) -> bool:
        """Whether every process's memory is."""
        return all(one.flat for one in self.memory.values())

    @property
    def well(self) -> bool:
        """Whether nothing failed, nothing was lost, nothing is left pending, every process lived on, and memory is flat."""
        return not (self.failed or self.lost or self.pending or self.restarted) and self.flat

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "well": self.well,
            "simulated_seconds": self.simulated,
            "seconds": round(self.took, 1),
            "failed": self.failed,
            "lost": self.lost,
            "pending": self.pending,
            "restarted": self.restarted,
            "memory_flat": self.flat,
            "memory_growth_bound": GROWTH,
            "traffic": [self._line(one) for one in self.tallies],
            "subscriptions": {name: self._account(name) for name in self.after},
            "not_delivered": [
                {"subscription": one.subscription, "state": one.state, "status": one.status, "reason": one.reason, "deliveries": number}
                for one, number in self.waiting.most_common()
            ],
            "memory_bytes": {
                name: {"start": one.start, "middle": one.middle, "end": one.end, "flat": one.flat} for name, one in self.memory.items()
            },
        }

    def _line(self, one: Tally) -> dict[str, Any]:
        return {
            "system": one.traffic.system,
            "operation": one.traffic.operation.name,
            "due": one.due,
            "not_made": one.given_up,
            "ends": dict(one.ends),
            "failed": one.failed,
            "a_second": round(sum(one.ends.values()) / self.took, 2),
            "milliseconds": {f"p{share}": round(1000 * one.percentile(share / 100), 1) for share in SHARES},
        }

    def _account(self, name: str) -> dict[str, Any]:
        account, times = self.accounts[name], self.delays.get(name, [])
        return {
            "accepted": self.accepted_of(name),
            "pending_before": account.brought,
            **account.entries,
            "lost": self.lost_of(name),
            "a_second": round(account.given / self.took, 2),
            "backlog": {"most": self.backlog.most.get(name, 0), "longest_seconds": round(self.backlog.longest.get(name, 0.0), 1)},
            "milliseconds": {f"p{share}": round(1000 * percentile(times, share / 100), 1) for share in SHARES},
        }
