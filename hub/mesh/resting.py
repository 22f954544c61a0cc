"""Which instances of a cluster get no new call, and how much of it each of the others gets: drains, and shares of versions.

The law: what is said of versions never leaves a system without anybody. Where no instance has a version that gets anything, all serve.
"""

from collections import Counter
from dataclasses import dataclass
from math import lcm
from typing import Final

from hub.mesh.inputs import Instance, Traffic


@dataclass(frozen=True, slots=True)
class Weighing:
    """What the endpoints of one cluster get."""

    resting: tuple[str, ...] = ()
    """Addresses that get no new call."""
    weights: tuple[tuple[str, int], ...] = ()
    """Address and weight; empty where all get alike."""

    def weight(self, address: str) -> int | None:
        """The weight of an address; None for what everybody has."""
        return dict(self.weights).get(address) if self.weights else None


UNWEIGHED: Final = Weighing()


def weighing_of(addresses: tuple[str, ...], instances: tuple[Instance, ...], traffic: Traffic) -> Weighing:
    """What the traffic settings make of the addresses of one cluster."""
    if not traffic.versions and not traffic.drains:
        return UNWEIGHED
    here = [one for one in instances if one.address in addresses]
    drained = {one.instance for one in traffic.drains if one.instance}
    resting = {one.address for one in here if one.id in drained}
    weights: dict[str, int] = {}
    for said in traffic.versions:
        of_system = [one for one in here if one.system == said.system and one.address not in resting]
        by_version = dict(said.weights)
        if not any(by_version.get(one.version, 0) for one in of_system):
            continue
        count = Counter(one.version for one in of_system)
        together = lcm(*(count[version] for version in count if by_version.get(version, 0)))
        for one in of_system:
            share = by_version.get(one.version, 0)
            if share:
                weights[one.address] = share * together // count[one.version]
            else:
                resting.add(one.address)
    return Weighing(tuple(sorted(resting)), tuple(sorted(weights.items())))
