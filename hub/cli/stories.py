"""Stories of the demo: what happens to one invented person, from system to system, with the ids by which each step can be followed."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import Message

from hub.cli.day.plan import filled, merged
from hub.cli.options import Problem
from hub.cli.scenarios_of_messages import ACCESS, ends, reply, requested
from hub.cli.simulating import simulator, simulators
from hub.cli.staging import Outcome, Stage
from hub.contracts import Operation
from hub.contracts.folders import adapters_folder
from hub.contracts.samples import CaseError, read_case
from metip.settings import SettingsError, read_settings
from metip.simulator.v1.simulator_service_pb2 import DrawSubjectsRequest
from metip.simulator.v1.stories_pb2 import Step, Stories, Story

FILE: Final = "stories.yaml"
COMES_WITHIN: Final = 30.0
POLL: Final = 0.2


def stories(folder: Path | None = None) -> tuple[Story, ...]:
    """The stories there are. Raises `Problem` when they can't be read."""
    try:
        return tuple(read_settings((folder or adapters_folder()) / FILE, Stories).stories)
    except SettingsError as error:
        raise Problem(str(error)) from None


async def told(on: Stage, story: Story) -> AsyncIterator[Outcome]:
    """A story, step by step."""
    facts = await _facts(on, story.person)
    for step in story.steps:
        if step.awaits:
            async for outcome in _awaited(on, step, facts):
                yield outcome
        else:
            async for outcome in _called(on, step, facts):
                yield outcome


async def _called(on: Stage, step: Step, facts: Mapping[str, str]) -> AsyncIterator[Outcome]:
    """A call, and where its message goes if it is one."""
    operation, request = request_of(on, step, facts)
    if operation.interface not in on.served:
        return
    answer = await on.ask(operation, request)
    if answer.refusal is not None:
        yield Outcome(step.says, False, f"{answer.words()}, call {answer.call_id}", answer.took)
        return
    # Told as the story has it, with names of facts instead of somebody's.
    wanted = zip(step.shows, filled(list(step.shows), facts), strict=True)
    missing = [told for told, value in wanted if not any(value in _values(on, one) for one in answer.replies)]
    ids = f"call {answer.call_id}"
    if operation.delivery is not None:
        ids += f", message {reply(answer).message_id}"
    words = f"the answer lacks {', '.join(missing)}; {ids}" if missing else ids
    yield Outcome(step.says, not missing, words, answer.took)
    if operation.delivery is not None:
        async for outcome in _followed(on, step, reply(answer).message_id):
            yield outcome


async def _awaited(on: Stage, step: Step, facts: Mapping[str, str]) -> AsyncIterator[Outcome]:
    """A message that comes by itself."""
    if step.awaits.partition("/")[0] not in on.served:
        return
    key, started = filled(step.key, facts), time.monotonic()
    while True:
        listed = await requested(on, "ListDeliveries", access=ACCESS, filter={"operation": step.awaits, "key": key}, page_size=1)
        if listed.refusal is not None or reply(listed).deliveries or time.monotonic() - started > COMES_WITHIN:
            break
        await asyncio.sleep(POLL)
    if listed.refusal is not None or not reply(listed).deliveries:
        yield Outcome(step.says, False, listed.words() if listed.refusal else "no such message came", time.monotonic() - started)
        return
    message_id = reply(listed).deliveries[0].message_id
    yield Outcome(step.says, True, f"message {message_id}", time.monotonic() - started)
    async for outcome in _followed(on, step, message_id):
        yield outcome


async def _followed(on: Stage, step: Step, message_id: str) -> AsyncIterator[Outcome]:
    watched = await requested(on, "Watch", message_id=message_id)
    for outcome in ends(watched, must=frozenset(step.processed_by)):
        yield outcome


def request_of(on: Stage, step: Step, facts: Mapping[str, str]) -> tuple[Operation, Message]:
    """What a step sends. Raises `Problem` for a step that makes no sense."""
    system, _, name = step.case.partition("/")
    try:
        case = read_case(adapters_folder() / system / "cases" / f"{name}.txtpb", on.messages)
    except CaseError as error:
        raise Problem(str(error)) from None
    document = merged(on.messages.document(case.request), json_format.MessageToDict(step.request))
    try:
        request = on.messages.kind(case.operation.request)()
        return case.operation, json_format.ParseDict(filled(document, facts), request, descriptor_pool=on.messages.pool)
    except (json_format.ParseError, KeyError, ValueError) as error:
        raise Problem(f"the story's step “{step.says}” can't be sent: {error}") from None


async def _facts(on: Stage, person: int) -> dict[str, str]:
    async with simulator(on.where.home, simulators(on.where.home)[0]) as stub:
        drawn = await stub.DrawSubjects(DrawSubjectsRequest(numbers=[person]), timeout=30)
    return dict(drawn.subjects[0].facts)


def _values(on: Stage, message: Message) -> frozenset[str]:
    """Every value of an answer, as protobuf's JSON writes it."""
    return frozenset(_leaves(on.messages.document(message)))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield str(value)
