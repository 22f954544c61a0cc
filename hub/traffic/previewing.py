"""What a change would do, in words: which calls move, whose they are, what callers are told, and what may not be meant."""

from collections.abc import Iterable

from hub.mesh.going import weights_of
from hub.mesh.inputs import Traffic
from hub.mesh.resources import Difference
from hub.traffic.judging import Known
from hub.traffic.layers import traffic_of
from hub.traffic.settings import (
    Breaker,
    CallLimit,
    Drain,
    FaultInjection,
    Key,
    Maintenance,
    Paused,
    Pin,
    Sampling,
    Setting,
    Shares,
    State,
    Versions,
)


def sentences(before: State, after: State, known: Known) -> tuple[str, ...]:
    """What happens to calls, one sentence for each setting that changes."""
    return tuple(_sentence(key, before, after, known) for key in before.differing(after))


def warnings(before: State, after: State, known: Known, by_hand: Iterable[str]) -> tuple[str, ...]:
    """What may not be meant; `by_hand` are runtime keys that this change takes back."""
    found = [f"{key} was set by hand in Envoy; this change takes that back" for key in sorted(by_hand)]
    changed = before.differing(after)
    for key in changed:
        setting = after.get(key)
        found += [] if setting is None else _warnings(setting, known)
    return tuple(found)


def resources(difference: Difference) -> tuple[str, ...]:
    """What Envoy is told anew."""
    marks = (("+", difference.added), ("~", difference.changed), ("-", difference.removed))
    return tuple(f"{mark}{kind.word} {name}" for mark, names in marks for kind, name in names)


def _sentence(key: Key, before: State, after: State, known: Known) -> str:
    old, new = before.get(key), after.get(key)
    if key[0] == Shares.kind:
        return _of_shares(key[1], traffic_of(before), traffic_of(after), known)
    if new is None:
        assert old is not None, "a key that differs is in one of both"
        return f"no longer: {described(old)}"
    if key[0] == Drain.kind:
        return f"{described(new)}; {_left(key[1], traffic_of(after), known)}" if not key[2] else described(new)
    return described(new)


def _of_shares(interface: str, before: Traffic, after: Traffic, known: Known) -> str:
    try:
        contract = known.contracts.interface(interface)
    except KeyError:
        return f"{interface}: its shares are forgotten, since no contract has it"
    old = {system: weight for system, _, weight in weights_of(known.contracts, contract, before)}
    new = {system: weight for system, _, weight in weights_of(known.contracts, contract, after)}
    moves = ", ".join(f"{system} {_percent(old, system)} → {_percent(new, system)}" for system in new)
    shared = [one.method for one in contract.operations if known.contracts.serving(one.name)]
    alone = len(contract.operations) - len(shared)
    of_operations = f"{len(shared)} of its operations ({', '.join(shared[:6])}{', …' if len(shared) > 6 else ''})"
    rest = f"; {alone} more stay with {contract.system}, who alone serves them" if alone else ""
    pinned = [pin for pin in after.pins if pin.interface == interface]
    others = len(known.consumers(interface)) - len(pinned)
    stays = f"; {', '.join(_name(pin.consumer) for pin in pinned)} stays pinned" if pinned else ""
    return f"{interface}: {moves} of the calls of {_count(others, 'consumer')} to {of_operations}{rest}{stays}"


def _left(system: str, traffic: Traffic, known: Known) -> str:
    """What becomes of the calls of a drained system."""
    moved, told = [], []
    for interface in known.contracts.interfaces:
        if interface.private or system not in known.behind(interface.name):
            continue
        weights = {one: weight for one, _, weight in weights_of(known.contracts, interface, traffic)}
        if not weights.get(system) and any(weights.values()):
            moved.append(f"{interface.name} ({', '.join(one for one, weight in weights.items() if weight)})")
        elif weights.get(system) or len(weights) == 1:
            told.append(interface.name)
    found = [f"calls go to others: {', '.join(moved)}"] if moved else []
    found += [f"callers are told MAINTENANCE: {', '.join(told)}"] if told else []
    return "; ".join(found) or "nobody calls it"


def described(setting: Setting) -> str:
    """What a setting does, in a few words."""
    match setting:
        case Shares():
            return f"{setting.interface} is shared {', '.join(f'{system} {weight}' for system, weight in setting.weights)}"
        case Pin():
            return f"all calls of {_name(setting.consumer)} to {setting.interface} go to {setting.system}"
        case FaultInjection():
            whose = f"of the calls of {_name(setting.consumer)}" if setting.consumer else "of all calls"
            held = [f"{setting.delay_percent:g} % {whose} are held back for {setting.delay:g} s"] if setting.delay_percent else []
            ended = [f"{setting.abort_percent:g} % {whose} end with {setting.abort}"] if setting.abort_percent else []
            return f"{setting.target}: {'; '.join((*held, *ended))}"
        case Maintenance():
            return f"{setting.target}: all callers are told UNAVAILABLE, MAINTENANCE: {setting.text}"
        case CallLimit():
            whose = _name(setting.consumer) if setting.consumer else "all consumers together"
            burst = setting.burst or setting.rate_per_second
            return f"{setting.interface}: {whose} may call {setting.rate_per_second} times a second, {burst} at once"
        case Breaker():
            named = ("max_requests", "max_pending", "max_connections", "failures_to_eject", "ejected_for")
            said = [f"{name} {getattr(setting, name):g}" for name in named if getattr(setting, name)]
            return f"{setting.interface}: {setting.system} is asked within {', '.join(said) or 'the usual bounds'}"
        case Drain():
            what = f"instance {setting.instance} of {setting.system}" if setting.instance else f"system {setting.system}"
            return f"{what} gets no new call; calls in progress end as they would"
        case Versions():
            shares = ", ".join(f"{version} {weight}" for version, weight in setting.weights)
            return f"calls of {setting.system} are shared among versions of its adapter: {shares}"
        case Paused():
            return f"{setting.subscription} is not delivered to; what is accepted waits"
        case Sampling():
            return f"{setting.operation}: {setting.per_million / 10_000:g} % of calls are asked of the other platform too"


def _warnings(setting: Setting, known: Known) -> list[str]:
    match setting:
        case Maintenance() if known.contracts.interface(setting.target.partition("/")[0]).of_messages:
            return [f"{setting.target}: producers must keep what they can't hand over; a paused subscription loses nobody anything"]
        case Breaker() if setting.max_requests and setting.max_requests < 10:
            return [f"{setting.interface}: more than {setting.max_requests} calls at once are refused with UNAVAILABLE"]
        case FaultInjection() if setting.abort_percent >= 100 and not setting.consumer:
            return [f"{setting.target}: no call succeeds; maintenance would tell callers why"]
        case _:
            return []


def _percent(weights: dict[str, int], system: str) -> str:
    total = sum(weights.values())
    return f"{100 * weights.get(system, 0) / total:.3g} %" if total else "0 %"


def _name(consumer: str) -> str:
    """`consumer/tablet` of a SPIFFE ID."""
    return consumer.partition("://")[2].partition("/")[2] or consumer


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
