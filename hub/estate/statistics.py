"""What Envoy counts of each cluster, read from its admin interface, and what came between two readings, also across a restart of Envoy."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from hub.estate.times import Buckets, between

WANTED: Final = ("upstream_rq_active", "upstream_rq_pending_active", "upstream_rq_total", "upstream_rq_retry", "membership_healthy",
                 "membership_total")  # fmt: skip
TIMES: Final = "upstream_rq_time"
FILTER: Final = rf"^(cluster[.].*[.]({'|'.join((*WANTED, TIMES))})|server[.]uptime)$"
PAGE: Final = f"/stats?histogram_buckets=cumulative&filter={quote(FILTER)}"
CLUSTER: Final = "cluster."
UPTIME: Final = "server.uptime"
SUB_STATS: Final = (".external", ".internal", ".canary")
"""Parts of a cluster's statistics that are counted in the whole already."""
BUCKET: Final = re.compile(r"B([0-9.e+]+|inf)\([0-9]+,([0-9]+)\)")
"""Upper bound, and how many values since Envoy started are no greater; the count before it is that of Envoy's own last interval."""


@dataclass(slots=True)
class Cluster:
    """One cluster at one instant."""

    counts: dict[str, int] = field(default_factory=dict)
    """By the names of `WANTED`."""
    times: Buckets = ()
    """Milliseconds of answers since Envoy started."""

    def count(self, name: str) -> int:
        """One of `WANTED`; 0 where Envoy has none."""
        return self.counts.get(name, 0)

    @property
    def in_flight(self) -> int:
        """Calls that an adapter has now."""
        return self.count("upstream_rq_active")

    @property
    def waiting(self) -> int:
        """Calls that wait for a connection now."""
        return self.count("upstream_rq_pending_active")


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything at one instant."""

    at: float
    """Seconds of whatever clock."""
    uptime: int
    """Seconds since Envoy started."""
    clusters: Mapping[str, Cluster]


@dataclass(frozen=True, slots=True)
class Far:
    """What Envoy asked of a cluster between two readings."""

    seconds: float
    requests: int = 0
    """Each attempt for itself."""
    retries: int = 0
    times: Buckets = ()
    """Milliseconds of the answers that came in between."""


def read(text: str, at: float) -> Reading:
    """Reads the text of `PAGE`; lines of other statistics are passed over."""
    clusters: dict[str, Cluster] = {}
    uptime = 0
    for line in text.splitlines():
        name, _, value = line.partition(": ")
        if not name.startswith(CLUSTER):
            uptime = int(value) if name == UPTIME else uptime
            continue
        cluster, _, what = name[len(CLUSTER) :].rpartition(".")
        if what == TIMES:
            if not cluster.endswith(SUB_STATS):
                clusters.setdefault(cluster, Cluster()).times = [(float(top), int(count)) for top, count in BUCKET.findall(value)]
        elif what in WANTED:
            clusters.setdefault(cluster, Cluster()).counts[what] = int(value)
    return Reading(at, uptime, clusters)


def restarted(before: Reading, after: Reading) -> bool:
    """Whether Envoy was started between two readings; its counters began at nothing then."""
    return after.uptime < before.uptime


def grown(before: int, after: int) -> int:
    """By how much a counter grew; one that is smaller than before began at nothing."""
    return after - before if after >= before else after


def compared(before: Reading, after: Reading) -> dict[str, Far]:
    """What Envoy asked of each cluster between two readings; nothing where no time is between them."""
    seconds = after.at - before.at
    if seconds <= 0:
        return {}
    known = {} if restarted(before, after) else before.clusters
    if restarted(before, after):
        seconds = min(seconds, max(after.uptime, 1))
    return {name: _far(known.get(name, Cluster()), now, seconds) for name, now in after.clusters.items()}


def joined(those: Iterable[Far]) -> Far | None:
    """Several of the same two readings together; None for none."""
    found, times = list(those), dict[float, int]()
    if not found:
        return None
    for one in found:
        for bound, count in one.times:
            times[bound] = times.get(bound, 0) + count
    requests, retries = sum(one.requests for one in found), sum(one.retries for one in found)
    return Far(found[0].seconds, requests, retries, sorted(times.items()))


def _far(before: Cluster, after: Cluster, seconds: float) -> Far:
    requests, retries = (grown(before.count(name), after.count(name)) for name in ("upstream_rq_total", "upstream_rq_retry"))
    return Far(seconds, requests, retries, between(before.times, after.times) if requests else ())
