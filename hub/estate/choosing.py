"""Which part of the estate somebody wants to see: chosen before anything is drawn."""

from dataclasses import dataclass

from google.protobuf.message import Message

from hub.contracts import Interface
from hub.estate.calls import Kind
from hub.estate.scene import Scene
from hub.estate.window import Flow, Totals
from metip.estate.v1 import estate_pb2
from metip.estate.v1 import estate_service_pb2 as api


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted; what is empty wants all."""

    text: str = ""
    """Lower case."""
    consumers: frozenset[str] = frozenset()
    interfaces: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    only_active: bool = False
    only_failing: bool = False

    @classmethod
    def of(cls, said: api.EstateFilter) -> "Choice":
        """As a request says."""
        return cls(
            said.text.casefold(),
            frozenset(said.consumers),
            frozenset(said.interfaces),
            frozenset(said.systems),
            said.only_active,
            said.only_failing,
        )

    @property
    def narrows(self) -> bool:
        """Whether it leaves out calls of what it shows, so that totals of all say nothing here."""
        return bool(self.text or self.consumers or self.systems or self.interfaces)

    def has(self, flow: Flow) -> bool:
        """Whether these calls are wanted."""
        return (
            (not self.consumers or (flow.consumer in self.consumers and flow.kind is Kind.CALL))
            and (not self.interfaces or flow.interface in self.interfaces)
            and (not self.systems or flow.system in self.systems)
            and self._in_text(flow.consumer, flow.operation, flow.system)
        )

    def shows(self, scene: Scene, totals: Totals, interface: Interface) -> bool:
        """Whether an interface is wanted, called or not."""
        name = interface.name
        called = name in totals.interfaces
        if self.consumers and not called:
            return False
        if self.interfaces and name not in self.interfaces:
            return False
        systems = {one.system for one in scene.behind[name]} | {one.system for one in scene.subscriptions.get(name, ())}
        if self.systems and not systems & self.systems:
            return False
        return called or self._in_text(name, *(one.name for one in interface.operations), *systems)

    def has_system(self, system: str) -> bool:
        """Whether a system is wanted."""
        return not self.systems or system in self.systems

    def has_text(self, *words: str) -> bool:
        """Whether the text is in one of these."""
        return self._in_text(*words)

    def _in_text(self, *words: str) -> bool:
        return not self.text or any(self.text in word.casefold() for word in words)

    def keeps(self, one: Message) -> bool:
        """Whether a node, an edge or a row is wanted by what happens there."""
        if not self.only_active and not self.only_failing:
            return True
        assert isinstance(one, estate_pb2.Node | estate_pb2.Edge | estate_pb2.Row)
        measures, counts = one.measures, one.counts
        if self.only_active and not (measures.calls or counts.in_flight or counts.queued or counts.parked):
            return False
        ill = not isinstance(one, estate_pb2.Edge) and one.health in (estate_pb2.NODE_HEALTH_DOWN, estate_pb2.NODE_HEALTH_PARTLY)
        return not self.only_failing or bool(measures.error_share or counts.parked or ill)
