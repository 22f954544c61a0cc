"""Metrics of parallel running: where interfaces stand, steps back, and how the two platforms' answers agree."""

from collections.abc import Callable
from typing import Final

from hub.migration.running import Migration
from hub.migration.states import State
from hub.parity import Comparator
from hub.parity.counts import Counts
from metip.sampling import Dropped
from metip.telemetry import families
from metip.telemetry.samples import Samples

FATES: Final = ("offered", "asked", "again", "compared", "recorded", *(f"dropped_{cause.value.lower()}" for cause in Dropped))
"""What becomes of samples."""


def of_migration(migration: Callable[[], Migration | None], comparator: Comparator, samples: Samples) -> None:
    """Each interface that is being moved."""
    moving = migration()
    if moving is None:
        return
    for interface, standing in moving.store.standings().items():
        position = standing.position
        samples.put_state(families.MIGRATION_STATE, [state.value for state in State], position.state.value, interface)
        samples.put(families.MIGRATION_PERCENT, position.percent, interface)
        samples.put(families.MIGRATION_SINCE, standing.since, interface)
        samples.put(families.STEPPED_BACK, moving.retreats[interface], interface)
        if position.meaning.compared:
            found = comparator.evidence(interface, standing.since)
            samples.put(families.COMPARED, found.compared, interface)
            samples.put(families.DIFFERING, found.differing, interface)
            if found.compared:
                samples.put(families.PARITY, found.lower, interface)


def of_samples(counts: Counts, samples: Samples) -> None:
    """What became of sampled calls since the hub started."""
    for operation, one in counts.by_operation.items():
        for fate in ("offered", "asked", "again", "compared", "recorded"):
            samples.put(families.SAMPLES, getattr(one, fate), operation, fate)
        for cause, count in one.drops.items():
            samples.put(families.SAMPLES, count, operation, f"dropped_{cause.lower()}")
