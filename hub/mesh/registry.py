"""Who serves what, for as long as leases run.

The law: an instance lives from its registration until its lease ends or it leaves; whatever is registered outlives the hub's own process,
with a fresh lease, so that a hub that starts again tells Envoy nothing new.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from time import monotonic
from typing import Final

import apsw

from hub.mesh.inputs import Instance

LEASE: Final = 9.0
SCHEMA: Final = """
create table if not exists instance (
  id text primary key,
  system text not null,
  interfaces text not null,
  address text not null,
  version text not null,
  replica integer not null default 0
) strict, without rowid
"""


class Store:
    """Instances on disk, so that they outlive the process."""

    def __init__(self, path: Path) -> None:
        self._database = apsw.Connection(str(path))
        self._database.execute("pragma journal_mode = wal; pragma synchronous = normal")
        self._database.execute(SCHEMA)
        if "replica" not in {row[1] for row in self._database.execute("pragma table_info(instance)")}:  # a file of an older hub
            self._database.execute("alter table instance add column replica integer not null default 0")

    def load(self) -> tuple[Instance, ...]:
        """Every instance that was registered when the hub last ran."""
        rows = self._database.execute("select id, system, interfaces, address, version, replica from instance order by id")
        return tuple(Instance(row[0], row[1], tuple(row[2].split(" ")), row[3], row[4], bool(row[5])) for row in rows)

    def put(self, instance: Instance) -> None:
        """Keeps one instance."""
        values = (instance.id, instance.system, " ".join(instance.interfaces), instance.address, instance.version)
        self._database.execute("insert or replace into instance values (?, ?, ?, ?, ?, ?)", (*values, int(instance.replica)))

    def drop(self, ids: Iterable[str]) -> None:
        """Forgets instances."""
        self._database.executemany("delete from instance where id = ?", [(one,) for one in ids])

    def close(self) -> None:
        """Closes the file."""
        self._database.close()


class Registry:
    """Instances and their leases."""

    def __init__(self, store: Store, *, lease: float = LEASE, clock: Callable[[], float] = monotonic) -> None:
        self.lease = lease
        self._store = store
        self._clock = clock
        self._instances = {instance.id: instance for instance in store.load()}
        self._ends = dict.fromkeys(self._instances, clock() + lease)
        self._held: dict[str, int] = {}
        self._held_of_writes: dict[str, int] = {}

    def extend(self, seconds: float) -> None:
        """Lets every lease run that much longer: time in which the hub could not take a renewal must not count against anybody."""
        self._ends = {one: end + seconds for one, end in self._ends.items()}

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Instances whose lease runs, by id."""
        return tuple(sorted(self._instances.values()))

    def unfenced(self, systems: Collection[str], interface: str, number: int) -> tuple[str, ...]:
        """Instances of these systems that serve an interface and do not hold a fence of that number, or a higher one, yet."""
        return tuple(
            one.id for one in self.instances if one.system in systems and interface in one.interfaces and self._held.get(one.id, 0) < number
        )

    def writing(self, system: str, interface: str, number: int) -> tuple[str, ...]:
        """Instances that serve an interface, are not of that system, and hold no fence of writes of that number, or a higher one, yet."""
        others = (one for one in self.instances if one.system != system and interface in one.interfaces)
        return tuple(one.id for one in others if self._held_of_writes.get(one.id, 0) < number)

    def register(self, instance: Instance, held: int = 0, held_of_writes: int = 0) -> bool:
        """Registers an instance or renews its lease, and keeps which fences it holds; whether anything but that changed.

        An older instance at the same address is gone: its worker died and this one took its place.
        """
        changed = self._instances.get(instance.id) != instance
        if changed:
            # The disk first: an instance that could not be written has to look new again when it comes back.
            self._forget(one.id for one in self.instances if one.address == instance.address and one.id != instance.id)
            self._store.put(instance)
            self._instances[instance.id] = instance
        self._ends[instance.id] = self._clock() + self.lease
        self._held[instance.id], self._held_of_writes[instance.id] = held, held_of_writes
        return changed

    def deregister(self, instance_id: str) -> bool:
        """Takes an instance out; whether it was there."""
        return bool(self._forget([instance_id]))

    def expire(self) -> tuple[str, ...]:
        """Takes out every instance whose lease ended, and names them."""
        now = self._clock()
        return self._forget([instance_id for instance_id, end in self._ends.items() if end <= now])

    def _forget(self, ids: Iterable[str]) -> tuple[str, ...]:
        gone = tuple(one for one in ids if one in self._instances)
        self._store.drop(gone)
        for one in gone:
            del self._instances[one], self._ends[one]
            self._held.pop(one, None)
            self._held_of_writes.pop(one, None)
        return gone
