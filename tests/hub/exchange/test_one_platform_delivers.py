"""No write is executed twice or by both platforms, and no accepted message is lost, whatever comes in whatever order.

Two drivers of one world (`two_platforms`): hypothesis, which makes what it finds small, and random histories by seed, which tell how often
each thing happened. The last tests take one protection away at a time: the harness must find that within a fixed budget.
"""

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from two_platforms import DONE, KEYS, LOCKED, PLATFORMS, SILENT, ViolationError, World, play

from adapters.kit.marks import Marks
from hub.exchange.records import Scope
from hub.exchange.sqlite.moves import Moves
from hub.exchange.sqlite.posts import Posts

HISTORIES, STEPS = 40, 140
BUDGET = 150
"""Histories within which each planted bug must be found."""
anything, platform, key = st.integers(0, 30), st.sampled_from(PLATFORMS), st.sampled_from(KEYS)


class Platforms(RuleBasedStateMachine):
    """The world, driven by hypothesis."""

    world: World

    @initialize(write_once=st.booleans())
    def begin(self, write_once: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), write_once=write_once)

    @rule(key=key)
    def accept(self, key: str) -> None:
        self.world.accept(key)

    @rule(name=platform)
    def turn(self, name: str) -> None:
        self.world.turn(name)

    @precondition(lambda self: self.world.network)
    @rule(place=anything)
    def arrive(self, place: int) -> None:
        self.world.arrive(place)

    @rule(name=platform, outcome=st.sampled_from((DONE, LOCKED, SILENT)))
    def finish(self, name: str, outcome: str) -> None:
        self.world.finish(name, outcome)

    @precondition(lambda self: self.world.replies)
    @rule(place=anything, lost=st.booleans())
    def reply(self, place: int, lost: bool) -> None:
        (self.world.lose_reply if lost else self.world.reply)(place)

    @precondition(lambda self: self.world.network)
    @rule(place=anything, how=st.sampled_from((World.time_out, World.unreachable, World.duplicate, World.shadow)))
    def go_wrong(self, place: int, how: Callable[[World, int], None]) -> None:
        how(self.world, place)

    @rule()
    def crash_hub(self) -> None:
        self.world.crash_hub()

    @rule(name=platform, acted=st.booleans())
    def crash_platform(self, name: str, acted: bool) -> None:
        self.world.crash_platform(name, acted=acted)

    @rule(name=platform)
    def renew(self, name: str) -> None:
        self.world.renew(name)

    @rule(scope=st.sampled_from(Scope), key=key, to=platform)
    def move(self, scope: Scope, key: str, to: str) -> None:
        self.world.begin_move(scope, key, to)

    @rule()
    def step(self) -> None:
        self.world.step_moves()
        self.world.pass_time()
        self.world.check()

    @rule()
    def take_back(self) -> None:
        self.world.take_back()

    @rule(place=anything, release=st.booleans(), resubmit=st.booleans())
    def person(self, place: int, release: bool, resubmit: bool) -> None:
        self.world.person(place, release=release, resubmit=resubmit)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.world.come_to_rest()
            finally:
                self.world.close()
                self.folder.cleanup()


def test_whatever_comes_in_whatever_order_one_platform_executes_each_message_once() -> None:
    said = settings(max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Platforms, settings=said)


def test_random_histories_execute_each_message_once_and_meet_everything_that_can_go_wrong(tmp_path: Path) -> None:
    happened = Counter[str]()
    for seed in range(HISTORIES):
        happened.update(play(tmp_path, seed, STEPS).happened)
    for what in ("executed by old", "executed by new", "key moved", "all moved", "cut moved", "new moved", "moves refused", "FENCED",
                 "IN_DOUBT", "known as done", "hub crashes", "platform crashes", "moves taken back", "a person: refused"):  # fmt: skip
        assert happened[what], f"{what} never happened in {HISTORIES} histories: {dict(happened)}"


def test_a_history_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    one, other = (play(tmp_path / name, 7, STEPS) for name in ("one", "other"))
    assert [vars(effect) | {"message_id": ""} for effect in one.effects] == [vars(effect) | {"message_id": ""} for effect in other.effects]


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """A platform takes whatever token it is given."""
    patch.setattr(Marks, "_highest", lambda self, post, digest: 0)


def no_drain(patch: pytest.MonkeyPatch) -> None:
    """A move waits for nothing that is under way or in doubt."""
    patch.setattr(Moves, "_under_way", lambda self, post, move: "")
    patch.setattr(Moves, "_stuck", lambda self, post, target, scope, key: "")


def no_mark(patch: pytest.MonkeyPatch) -> None:
    """A platform forgets what it executed when it starts again."""
    plain = Marks.__init__

    def forgetful(self: Marks, *arguments: Any, **named: Any) -> None:
        plain(self, *arguments, **named)
        self.database.execute("delete from mark")

    patch.setattr(Marks, "__init__", forgetful)


def own_cursor(patch: pytest.MonkeyPatch) -> None:
    """A platform that passes a message takes it, whoever's key it is."""
    plain = Posts._owner

    def grasping(self: Posts, post: Any, key: str, now: float) -> Any:
        _, number = plain(self, post, key, now)
        return post.owner, number

    patch.setattr(Posts, "_owner", grasping)


def no_owner(patch: pytest.MonkeyPatch) -> None:
    """A platform does not look whose a message is."""
    plain = Marks.begin

    def careless(self: Marks, handed: Any, now: float | None = None) -> bytes | None:
        from dataclasses import replace

        return plain(self, replace(handed, system=handed.token.owner), now)

    patch.setattr(Marks, "begin", careless)


def unfinished_fence(patch: pytest.MonkeyPatch) -> None:
    """A move is carried out before the one that loses it holds the fence, and what is late is not looked at."""
    plain = Moves.advance

    def hasty(self: Moves, move_id: str, now: float) -> Any:
        move = plain(self, move_id, now)
        return self.fenced(move_id, "", now) if move.number else move

    patch.setattr(Moves, "advance", hasty)
    no_drain(patch)


@pytest.mark.parametrize("plant", [no_fence, no_drain, no_mark, own_cursor, no_owner, unfinished_fence], ids=lambda plant: plant.__name__)
def test_a_protection_that_is_taken_away_is_missed_within_the_budget(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(monkeypatch)
    for seed in range(BUDGET):
        try:
            play(tmp_path, seed, STEPS)
        except ViolationError:
            return
    pytest.fail(f"{plant.__name__} was not found in {BUDGET} histories")
