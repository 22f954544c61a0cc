"""The ways of calls as the rest of the hub keeps them: shares and pins by the director of traffic, what is compared by the sampler."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hub.mesh.admin import WEIGHT_KEY
from hub.mesh.control import Control
from hub.mesh.inputs import OWNERS_WEIGHT, cluster_name
from hub.migration.plan import Rules
from hub.migration.ports import Order, RefusedError
from hub.migration.states import Platform
from hub.traffic.changes import TrafficError
from hub.traffic.director import Director
from hub.traffic.settings import Pin, Shares, State


class Samplers(Protocol):
    """What decides which calls are compared."""

    def sample(self, operation: str, per_million: int, again_per_million: int, cap_per_hour: int) -> None:
        """Compares so many calls of an operation; none for 0. Raises ValueError for one that may not be compared so."""


class NoSamplers:
    """Where nothing is compared."""

    def sample(self, operation: str, per_million: int, again_per_million: int, cap_per_hour: int) -> None:
        """Nothing is."""


@dataclass
class Ways:
    """The `Roads` of a hub."""

    director: Director
    control: Control
    samplers: Samplers
    by_hand: Callable[[], Mapping[str, str]] = dict
    """Weights that somebody set in Envoy's runtime, by cluster."""
    unfenced: Callable[[str], tuple[str, ...]] = lambda _interface: ()
    """Instances that have had the time to refuse an interface's calls that write, which are another system's, and do not yet."""
    _uncompared: dict[str, str] = field(default_factory=dict, repr=False)
    """Why an interface is not compared though its state says so."""

    def share(self, rules: Rules) -> float:
        """The share that the new platform answers by the settings in force."""
        weights = self._weights(rules)
        everything = sum(weights.values())
        return 1 - weights.get(rules.old, 0) / everything if everything else 1.0

    async def put(self, orders: Sequence[Order], what: str, author: str, because: str) -> None:
        """One change of traffic, then what is compared from then on. Raises `RefusedError` and `Fault` JOURNAL."""
        shares = [self._shares(order) for order in orders if order.rules.called]
        pins = [Pin(one.rules.interface, consumer, system_of(to, one.rules)) for one in orders for consumer, to in one.pins.items()]
        names, kept = {order.rules.interface for order in orders}, {pin.key for pin in pins}

        def edit(state: State) -> State:
            gone = [pin.key for pin in state.of(Pin) if pin.interface in names and pin.key not in kept]
            return state.drop(*gone).put(*shares, *pins)

        try:
            await self.director.change(what, author, because, edit)
        except TrafficError as error:
            raise RefusedError("; ".join(error.problems)) from None
        # Where the shares stay as they are nothing was changed, and what somebody set by hand would still go before them.
        keys = [f"{WEIGHT_KEY}{cluster}" for order in orders if order.rules.called for cluster in self._clusters(order.rules)]
        await self.director.overrides.take_back(keys)
        for order in orders:
            self.compare(order)

    def compare(self, order: Order) -> None:
        """Puts in force what is compared. One that may not be compared keeps no call from its way; it shows as a deviation."""
        samples, problems = order.rules.samples, []
        for operation in order.rules.sampled:
            wanted = samples.per_million if order.position.meaning.compared else 0
            try:
                self.samplers.sample(operation.name, wanted, samples.again_per_million if wanted else 0, samples.cap_per_hour)
            except ValueError as error:
                problems += [f"{operation.method} is not compared: {error}"] if wanted else []
        self._uncompared[order.rules.interface] = "; ".join(problems)

    def deviations(self, order: Order) -> tuple[str, ...]:
        """Weights in the settings, and in Envoy's runtime, that are not as ordered."""
        rules = order.rules
        found = [problem] if (problem := self._uncompared.get(rules.interface)) else []
        if not rules.called:
            return tuple(found)
        found += [f"{one} does not refuse writes that are another system's" for one in self.unfenced(rules.interface)]
        ordered, share = order.position.percent, self.share(rules) * 100
        if abs(share - ordered) > 0.5:
            found.append(f"the traffic settings give the new platform {share:.0f} %, the state {ordered} %")
        hand = self.by_hand()
        found += [
            f"somebody set the weight of {system} to {hand[name]} in Envoy's runtime, past the hub"
            for name, system in self._clusters(rules).items()
            if name in hand
        ]
        return tuple(found)

    def absent(self, interface: str, systems: Sequence[str]) -> tuple[str, ...]:
        """Systems without an instance that serves the interface."""
        there = {one.system for one in self.control.inputs.instances if interface in one.interfaces}
        return tuple(one for one in systems if one not in there)

    def _shares(self, order: Order) -> Shares:
        """The new platform's part is shared among its systems as it was before; where none had any, its owner gets it."""
        rules, percent = order.rules, order.position.percent
        now = {system: weight for system, weight in self._weights(rules).items() if system != rules.old and weight}
        parts = now or {rules.system: 1}
        scale = 10 if len(parts) > 1 else 1
        everything = sum(parts.values())
        weights = {system: round(percent * scale * weight / everything) for system, weight in parts.items()}
        if percent and not any(weights.values()):
            weights[max(parts, key=lambda one: parts[one])] = percent * scale
        weights = {rules.system: 0, **weights, rules.old: (100 - percent) * scale}
        called = any(one.name not in rules.delivers for one in rules.writes)
        writer = system_of(order.position.meaning.writer, rules) if called else ""
        return Shares(rules.interface, tuple(sorted(weights.items())), writer)

    def _weights(self, rules: Rules) -> dict[str, int]:
        return self.director.state.weights(rules.interface) or {rules.system: OWNERS_WEIGHT}

    def _clusters(self, rules: Rules) -> dict[str, str]:
        """Systems by Envoy's names of their instances."""
        others = self.control.inputs.contracts.back_ends_of(rules.interface)
        return {rules.interface: rules.system} | {cluster_name(rules.interface, one): one for one in others}


def system_of(platform: Platform, rules: Rules) -> str:
    """The system that is a platform."""
    return rules.old if platform is Platform.METIP else rules.system
