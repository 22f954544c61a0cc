"""What became of samples since the hub started, by operation; nothing that was sampled is lost without being counted."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from metip.parity.v1 import sampling_service_pb2 as api
from metip.sampling import Dropped


@dataclass(slots=True)
class Count:
    """What became of the samples of one operation."""

    offered: int = 0
    asked: int = 0
    again: int = 0
    compared: int = 0
    recorded: int = 0
    drops: Counter[str] = field(default_factory=Counter)
    """By cause, `Dropped`."""


class Counts:
    """Counts by operation."""

    def __init__(self) -> None:
        self.by_operation: defaultdict[str, Count] = defaultdict(Count)

    def of(self, operation: str) -> Count:
        """The counts of one operation."""
        return self.by_operation[operation]

    def dropped(self, operation: str, cause: Dropped) -> None:
        """Counts one that was dropped."""
        self.by_operation[operation].drops[cause.value] += 1

    def said(self) -> list[api.SampledCount]:
        """The counts as the API has them."""
        found = []
        for name, one in sorted(self.by_operation.items()):
            told = api.SampledCount(
                operation=name, offered=one.offered, asked=one.asked, again=one.again, compared=one.compared, recorded=one.recorded
            )
            for cause, count in sorted(one.drops.items()):
                told.drops.add(operation=name, cause=cause, count=count)
            found.append(told)
        return found
