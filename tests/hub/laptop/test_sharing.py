"""Which simulators share a process."""

import pytest

from hub.laptop.preparing import has_simulator, systems
from hub.laptop.sharing import processes_for, shared_out, volume

SIMULATED = [system for system in systems() if has_simulator(system)]


@pytest.mark.parametrize(("simulators", "cores", "processes"), [(0, 8, 1), (1, 8, 1), (15, 1, 1), (15, 2, 2), (5, 8, 2), (15, 64, 4)])
def test_there_are_no_more_processes_than_cores_nor_than_simulators_are_worth(simulators: int, cores: int, processes: int) -> None:
    assert processes_for(simulators, cores) == processes


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_each_simulator_runs_in_one_process_and_none_has_much_more_to_do_than_another(processes: int) -> None:
    shares = shared_out(SIMULATED, processes)
    assert sorted(one for share in shares for one in share) == sorted(SIMULATED)
    loads = [sum(map(volume, share)) for share in shares]
    assert len(loads) == processes
    assert max(loads) - min(loads) <= max(map(volume, SIMULATED))


def test_simulators_are_shared_out_alike_in_whatever_order_they_are_named() -> None:
    assert shared_out(SIMULATED, 3) == shared_out(SIMULATED[::-1], 3)


def test_nothing_is_shared_out_among_no_simulators() -> None:
    assert shared_out([], 1) == ()
