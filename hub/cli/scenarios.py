"""The scenarios of `metip demo`, generic over systems: each is found from contracts and recorded cases, played, and judged.

A scenario gives an outcome for each thing that it expected; what came instead is in the outcome's words.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hub.cli import handshaking
from hub.cli.client import LOOPBACK, Edge, Identity, edge_channel, usual_officer
from hub.cli.gathering import processes
from hub.cli.messages import operations
from hub.cli.printing import count, span
from hub.cli.scenarios_of_messages import delivered, followed, replayed
from hub.cli.simulating import set_dials, simulators
from hub.cli.sources import SILENT, SPOKE
from hub.cli.staging import Answer, Outcome, Stage, ask
from hub.cli.stories import stories, told
from hub.cli.values import enum_number
from hub.contracts import Operation
from hub.contracts.samples import Dial, Sample, agrees
from hub.identity import Store, issue, issue_token
from hub.laptop.layout import DEVELOPER, EDGE
from metip.cases.v1.case_pb2 import Fault

SILENCE: Final = "hang"
"""The dial that every simulator has: it takes the question and never answers."""
SEARCH_DEADLINE: Final = 2.0
BACK_WITHIN: Final = 60.0
POLL: Final = 0.1
CALLERS: Final = 4
PACE: Final = 0.02
"""Seconds between two calls of a caller: enough of them to tell, few enough to leave the hub a core to start on."""
CALLS_BEFORE, CALLS_WITHOUT = 0.5, 3.0


async def each_sample(on: Stage) -> AsyncIterator[Outcome]:
    """Each operation's sample case is answered, or refused, as the case says."""
    for sample in on.samples:
        async with _dials(on, sample.dials):
            answer = await on.ask(sample.operation, sample.request, within=sample.deadline)
        problem = _disagreement(sample, answer)
        yield Outcome(
            f"{sample.operation.name}: {sample.title}",
            not problem,
            problem or ("" if sample.status == "OK" else answer.words()),
            answer.took,
        )


def _disagreement(sample: Sample, answer: Answer) -> str:
    """What came otherwise than the case has it; empty when nothing did."""
    if answer.status != sample.status:
        return f"expected {sample.status}, came {answer.words()}"
    if answer.refusal is not None:
        right = sample.reason in ("", answer.refusal.reason)
        return "" if right else f"expected the reason {sample.reason}, came {answer.refusal.reason}"
    missing = sum(not any(agrees(wanted, came) for came in answer.replies) for wanted in sample.answers)
    return f"{count(missing, 'expected reply', 'expected replies')} did not come" if missing else ""


async def federated(on: Stage) -> AsyncIterator[Outcome]:
    """One question to several sources: each has a status, and each spoke."""
    sample = on.federated
    if sample is None:
        return
    answer = await on.ask(sample.operation, sample.request)
    yield _each_ended(f"{sample.operation.name}: {sample.title}", sample, answer)
    for end in answer.ends:
        yield Outcome(f"{end.source} speaks", end.status in SPOKE, end.words(), end.elapsed)


def _each_ended(what: str, sample: Sample, answer: Answer) -> Outcome:
    expected, came = len(sample.operation.consults), len(answer.ends)
    right = answer.refusal is None and came == expected
    return Outcome(what, right, f"{came} of {count(expected, 'source')} told how they ended; {answer.words()}", answer.took)


async def one_silent(on: Stage) -> AsyncIterator[Outcome]:
    """The same while one source never answers: it is told as silent, never as knowing nothing, and the others are not held up."""
    sample = on.federated
    silent = _first_with_simulator(on, sample) if sample else None
    if sample is None or silent is None:
        return
    async with _dials(on, (Dial(silent, SILENCE),)):
        answer = await on.ask(sample.operation, sample.request, within=SEARCH_DEADLINE)
    yield _each_ended(f"{silent} never answers; the search ends within {span(SEARCH_DEADLINE)}", sample, answer)
    for end in answer.ends:
        quiet = end.source.casefold() == silent
        what = f"{end.source} is told as silent, not as knowing nothing" if quiet else f"{end.source} speaks all the same"
        yield Outcome(what, end.status in (SILENT if quiet else SPOKE), end.words(), end.elapsed)
    started = time.monotonic()
    back = await _until_whole(on, sample)
    yield Outcome(f"{silent} is heard again once it speaks", back, "" if back else "not yet", time.monotonic() - started)


def _first_with_simulator(on: Stage, sample: Sample) -> str | None:
    known, loaded = simulators(on.where.home), operations(on.messages.contracts)
    systems = (on.messages.contracts.interface(loaded[one].interface).system for one in sample.operation.consults if one in loaded)
    return next((one for one in systems if one in known), None)


async def _until_whole(on: Stage, sample: Sample) -> bool:
    started = time.monotonic()
    while time.monotonic() - started < BACK_WITHIN:
        answer = await on.ask(sample.operation, sample.request, within=SEARCH_DEADLINE)
        if answer.ends and all(end.status in SPOKE for end in answer.ends):
            return True
        await asyncio.sleep(POLL)
    return False


@asynccontextmanager
async def _dials(on: Stage, dials: Sequence[Dial]) -> AsyncIterator[None]:
    """Dials for the length of the block."""
    by_system: dict[str, list[Fault]] = {}
    for dial in dials:
        by_system.setdefault(dial.system, []).append(Fault(dial=dial.name, setting=dial.setting, share=dial.share, times=dial.times))
    try:
        for system, faults in by_system.items():
            await set_dials(on.where.home, system, faults)
        yield
    finally:
        for system in by_system:
            await set_dials(on.where.home, system, (), clear=True)


async def refused(on: Stage) -> AsyncIterator[Outcome]:
    """Who may not call is refused, each with its reason."""
    for what, shown in _certificates(on):
        said = await handshaking.handshake(on.where.settings.edge.address or LOOPBACK, on.where.settings.edge.port, shown)
        yield Outcome(what, bool(said), said or "it was let in")
    sample = next((one for one in on.samples if one.operation.officer_required and one.status == "OK"), None)
    if sample is None:
        return
    operation, request = sample.operation, sample.request
    yield _refusal("no officer's token", await on.ask(operation, request, token=""), "UNAUTHENTICATED")
    adapter, now = on.where.spiffe_id(f"adapter-{sample.system}"), datetime.now(UTC)
    another = issue_token(on.where.store, usual_officer(), authorised_party=adapter, now=now)
    yield _refusal("a token that was issued to another consumer", await on.ask(operation, request, token=another), "PERMISSION_DENIED")
    async with edge_channel(on.where, on.where.identity(EDGE)) as channel:
        token = on.where.token(EDGE)
        answer = await ask(Edge(channel, on.messages), operation, request, token=token, within=None)
    yield _refusal("a certificate of this mesh that no grant names", answer, "PERMISSION_DENIED")
    other = _purpose_not_permitted(on, operation)
    if other is not None:
        name, number = other
        changed: Any = type(request)()
        changed.CopyFrom(request)
        changed.access.purpose = number
        yield _refusal(f"a purpose that {operation.method} does not permit ({name})", await on.ask(operation, changed), "PERMISSION_DENIED")


def _certificates(on: Stage) -> "list[tuple[str, Any]]":
    with tempfile.TemporaryDirectory() as folder:
        foreign = Store(Path(folder))
        foreign.ensure(trust_domain=on.where.settings.trust_domain)
        issue(foreign, on.where.spiffe_id(DEVELOPER), name=DEVELOPER)
        stranger = Identity(foreign.certificate(DEVELOPER), foreign.key(DEVELOPER), on.where.store.ca_certificate)
        wrong = handshaking.context(stranger.authority, stranger.certificate, stranger.key)
    bare = handshaking.context(on.where.store.ca_certificate)
    return [("no certificate", bare), ("a certificate with the right name from a foreign authority", wrong)]


def _refusal(what: str, answer: Answer, status: str) -> Outcome:
    return Outcome(what, answer.status == status, answer.words(), answer.took)


def _purpose_not_permitted(on: Stage, operation: Operation) -> tuple[str, int] | None:
    purposes = on.messages.purposes
    others = [value.name for value in purposes.values if value.number and value.number not in operation.purpose_numbers]
    return (others[0].removeprefix("PURPOSE_"), enum_number(purposes, others[0])) if others else None


@dataclass
class _Tally:
    done: int = 0
    failed: int = 0
    first_failure: str = ""
    over: bool = False


async def hub_killed(on: Stage) -> AsyncIterator[Outcome]:
    """The hub is killed: calls go on without it, and it is started again by itself."""
    sample = on.query
    victim = next((one for one in processes(on.where.home) if one.name == "hub"), None)
    if sample is None or victim is None or victim.pid is None:
        return
    tally = _Tally()
    callers = [asyncio.create_task(_keep_asking(on, sample, tally)) for _ in range(CALLERS)]
    try:
        await asyncio.sleep(CALLS_BEFORE)
        before = tally.done
        os.kill(victim.pid, signal.SIGKILL)
        await asyncio.sleep(CALLS_WITHOUT)
        during = tally.done - before
    finally:
        tally.over = True
        await asyncio.gather(*callers)
    words = f"{during:,} calls in the {span(CALLS_WITHOUT)} after, {tally.failed:,} failed"
    yield Outcome("calls go on without it", during > 0 and not tally.failed, f"{words} {tally.first_failure}".rstrip(), CALLS_WITHOUT)
    again = any(one.name == "hub" and one.pid not in (None, victim.pid) for one in processes(on.where.home))
    yield Outcome("it is started again", again, "" if again else "not yet", None)


async def _keep_asking(on: Stage, sample: Sample, tally: _Tally) -> None:
    while not tally.over:
        answer = await on.ask(sample.operation, sample.request, within=sample.deadline)
        if answer.refusal is None:
            tally.done += 1
        else:
            tally.failed += 1
            tally.first_failure = tally.first_failure or f"({answer.words()})"
        await asyncio.sleep(PACE)


SCENARIOS: Final = {
    "each operation's sample": each_sample,
    "one question, several sources": federated,
    "the same, one source silent": one_silent,
    "who may not call is refused": refused,
    "messages reach whoever subscribes": delivered,
    "a message is replayed": replayed,
    "the hub is killed": hub_killed,
    "every message is accounted for": followed,
}
"""Titles and scenarios, in the order in which they are played."""


async def play(on: Stage, begun: Callable[[str], None]) -> AsyncIterator[Outcome]:
    """Every outcome of every scenario, as it comes; `begun` hears the title of each before it is played. Stories come first."""
    if simulators(on.where.home):
        for story in stories():
            begun(story.title)
            async for outcome in told(on, story):
                yield replace(outcome, scenario=story.title)
    for title, scenario in SCENARIOS.items():
        begun(title)
        async for outcome in scenario(on):
            yield replace(outcome, scenario=title)
