"""Which simulators share a process."""

import pytest

from hub.cli.day.plan import traffic
from hub.cli.messages import installed
from hub.laptop.preparing import has_simulator, systems
from hub.laptop.sharing import loads, processes_for, shared_out

MESSAGES = installed()
SIMULATED = [system for system in systems() if has_simulator(system)]
LOAD = loads(MESSAGES.contracts)


@pytest.mark.parametrize(("simulators", "cores", "processes"), [(0, 8, 1), (1, 8, 1), (15, 1, 1), (15, 2, 2), (5, 8, 2), (15, 64, 4)])
def test_there_are_no_more_processes_than_cores_nor_than_simulators_are_worth(simulators: int, cores: int, processes: int) -> None:
    assert processes_for(simulators, cores) == processes


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_each_simulator_runs_in_one_process_and_none_has_much_more_to_do_than_another(processes: int) -> None:
    shares = shared_out(SIMULATED, processes, LOAD)
    assert sorted(one for share in shares for one in share) == sorted(SIMULATED)
    sums = [sum(LOAD[one] for one in share) for share in shares]
    assert len(sums) == processes
    assert max(sums) - min(sums) <= max(LOAD[one] for one in SIMULATED)


def test_simulators_are_shared_out_alike_in_whatever_order_they_are_named() -> None:
    assert shared_out(SIMULATED, 3, LOAD) == shared_out(SIMULATED[::-1], 3, LOAD)


def test_nothing_is_shared_out_among_no_simulators() -> None:
    assert shared_out([], 1, LOAD) == ()


def test_the_busiest_are_apart() -> None:
    assert shared_out(["a", "b", "c", "d"], 2, {"a": 9, "b": 8, "c": 2}) == (("a", "d"), ("b", "c"))


def test_a_system_bears_its_own_traffic_and_what_others_consult_it_for_and_what_it_subscribes_to() -> None:
    day = traffic(MESSAGES)
    own = {system: sum(one.a_day for one in day if one.system == system) for system in systems()}
    assert all(LOAD[system] >= number for system, number in own.items())
    consulting = next(one for one in day if len(one.operation.consults) > 1)
    asked = {MESSAGES.contracts.interface(MESSAGES.contracts.operations[one].interface).system for one in consulting.operation.consults}
    assert all(LOAD[system] >= own[system] + consulting.a_day for system in asked)
    subscribed = [(one.system, line) for one in MESSAGES.contracts.subscriptions for line in day if line.operation.name == one.operation]
    assert all(LOAD[system] >= line.a_day for system, line in subscribed)
