"""The register of interfaces is written from the contracts; the day's parts, the faults and the stories name only what there is."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import protovalidate
import pytest

from adapters.kit import discovery
from adapters.kit.population import Population
from adapters.kit.simulation.dials import STANDARD
from adapters.kit.simulation.subjects import subjects
from hub.cli.day.command import SUBJECTS
from hub.cli.day.plan import OWN, filled, traffic
from hub.cli.faults import catalogue, dials_of
from hub.cli.messages import installed
from hub.cli.register import PLATFORM, register
from hub.cli.simulating import parse_dials
from hub.cli.staging import Stage
from hub.cli.stories import request_of, stories
from hub.contracts import Interface
from hub.contracts.samples import case_files
from metip.simulator.v1.catalogue_pb2 import NamedFault
from metip.simulator.v1.stories_pb2 import Story

ROOT = Path(__file__).parents[2]
MESSAGES = installed()
INTERFACES = [one for one in MESSAGES.contracts.interfaces if one.system not in PLATFORM]
FAULTS = {one.name: one for one in catalogue().faults}


def test_the_register_is_what_the_contracts_say() -> None:
    page = (ROOT / "docs" / "interfaces.md").read_text(encoding="utf-8")
    assert page == register(MESSAGES, traffic(MESSAGES)), "write it anew: make golden"


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda one: one.name)
def test_every_interface_of_a_system_says_what_is_spoken(interface: Interface) -> None:
    assert re.fullmatch(r"\S.{2,78}\S", interface.wire), 'add wire: "…" to its interface option'


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_can_be_played(fault: NamedFault) -> None:
    assert fault.dials or fault.cases
    cases = {f"{path.parent.parent.name}/{path.stem}" for path in case_files()}
    assert set(fault.cases) <= cases
    for system, dials in dials_of(fault).items():
        known = {*STANDARD, *discovery.simulator(system).DIALS}
        assert {one.dial for one in parse_dials(dials)} <= known


def test_the_day_is_played_through_operations_and_dials_that_there_are() -> None:
    lines = traffic(MESSAGES)
    assert lines
    for line in lines:
        assert (line.template is None) == bool(line.dial), f"{line.system}: {line.operation.name} has a request or a dial, not both"
        if line.dial:
            assert line.dial in discovery.simulator(line.system).DIALS


def test_what_comes_in_turn_is_a_request_of_its_own_for_each_subject_and_there_are_enough_for_the_busiest_hour() -> None:
    taken = [line for line in traffic(MESSAGES) if line.in_turn]
    everybody, valid = list(subjects(Population(), SUBJECTS, 1)), protovalidate.Validator()
    assert taken
    for line in taken:
        suited = [facts for facts in everybody if line.wants <= facts.keys()]
        requests = [line.request(MESSAGES, facts | dict.fromkeys(OWN, "1")) for facts in suited]
        for request in requests:
            valid.validate(request)
        assert len({request.SerializeToString(deterministic=True) for request in requests}) == len(requests)
        assert len(requests) > max(map(line.rate, range(24))) * 3600 * 2, f"{line.system}: too few for {line.operation.name}"


@pytest.mark.parametrize("story", stories(), ids=lambda one: one.title)
def test_every_step_of_a_story_can_be_sent_or_waited_for(story: Story) -> None:
    (facts,) = subjects(Population(), 0, 0, [story.person])
    on: Any = SimpleNamespace(messages=MESSAGES)
    stage: Stage = on
    subscribers = {f"{one.system} {one.operation}" for one in MESSAGES.contracts.subscriptions}
    for step in story.steps:
        operation = MESSAGES.contracts.operations[step.awaits] if step.awaits else request_of(stage, step, facts)[0]
        assert filled([*step.shows, step.key], facts)
        assert (operation.delivery is not None) or not step.processed_by
        assert {f"{system} {operation.name}" for system in step.processed_by} <= subscribers
