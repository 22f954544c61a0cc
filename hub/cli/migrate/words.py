"""Positions, figures, guards and steps in words, and as JSON."""

from datetime import UTC, datetime
from typing import Any, Final

from hub.cli import printing
from hub.cli.exchange.moments import written
from hub.cli.printing import FAILED, OK, WARNED, clean, mark
from metip.migration.v1 import step_pb2

KINDS: Final = {
    step_pb2.STEP_KIND_FORWARD: "step",
    step_pb2.STEP_KIND_OVERRIDE: "override",
    step_pb2.STEP_KIND_BACK: "back",
    step_pb2.STEP_KIND_BREACH: "breach",
    step_pb2.STEP_KIND_EXPIRED: "time over",
    step_pb2.STEP_KIND_PIN: "pin",
    step_pb2.STEP_KIND_UNPIN: "release",
}
PHASES: Final = {
    step_pb2.STEP_PHASE_INTENDED: "begun",
    step_pb2.STEP_PHASE_RECORDED: "recorded",
    step_pb2.STEP_PHASE_APPLIED: "in force",
    step_pb2.STEP_PHASE_REFUSED: "refused",
    step_pb2.STEP_PHASE_UNDONE: "taken back",
}
PLATFORMS: Final = {step_pb2.PLATFORM_METIP: "METIP", step_pb2.PLATFORM_METIP2: "METIP2"}


def state_word(position: Any) -> str:
    """`legacy`, `canary` and so on."""
    return step_pb2.State.Name(position.state).removeprefix("STATE_").lower()


def position_word(position: Any) -> str:
    """`shadow`, `canary 10 %`."""
    return f"canary {position.percent} %" if position.state == step_pb2.STATE_CANARY else state_word(position)


def last(interface: str) -> str:
    """The last word of an interface's name, for tables."""
    return interface.rpartition(".")[2]


def evidence_word(figures: Any) -> str:
    """What is known so far, in one cell."""
    parts = []
    if figures.compared:
        parts.append(f"{figures.compared:,} compared, {figures.differing:,} differ, at least {figures.lower:.2%} agree")
    if figures.new_platform.calls and not figures.compared:
        parts.append(f"{figures.new_platform.calls:,} calls, {figures.new_platform.errors:,} failed")
    return "; ".join(parts) or "none yet"


def guard_rows(guards: Any) -> list[tuple[str, str, str]]:
    """Rows of guards: mark and name, what was found, what to do."""
    return [
        (f"{mark(OK if one.passed else WARNED if one.overridden else FAILED)} {one.guard}", clean(one.found), clean(one.remedy))
        for one in guards
    ]


def missing(guards: Any) -> str:
    """Guards that fail, by name."""
    return ", ".join(one.guard for one in guards if not one.passed) or "an approver"


def who(step: Any) -> str:
    """Author and approver."""
    author = clean(step.author.rpartition("/")[2] if step.author.startswith(("os://", "sso://")) else step.author)
    signed = ", signed" if step.signed else ""
    return f"{author}, approved by {clean(step.approver)}{signed}" if step.approver else author


def what(step: Any) -> str:
    """What a step did, in one cell."""
    if step.consumer:
        to = f"tied to {PLATFORMS[step.platform]}" if step.platform else "let go"
        return f"{step.consumer} {to}"
    moves = [f"{position_word(move.before)} → {position_word(move.after)}" for move in step.moves]
    return moves[0] if len(set(moves)) == 1 else "; ".join(f"{last(m.interface)} {w}" for m, w in zip(step.moves, moves, strict=True))


def at(stamp: Any) -> str:
    """A moment, to the second."""
    return written(stamp)


def span_of(duration: Any) -> str:
    """A length of time."""
    return printing.span(duration.ToTimedelta().total_seconds())


def since(stamp: Any, now: datetime | None = None) -> str:
    """How long ago, for tables."""
    from hub.cli.exchange.moments import age

    return age(stamp, now or datetime.now(UTC))


def document(message: Any) -> dict[str, Any]:
    """A message as JSON: its own field names, states and kinds as words."""
    from google.protobuf.json_format import MessageToDict

    found: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    worded: dict[str, Any] = _worded(found)
    return worded


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _worded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_worded(one) for one in value]
    if isinstance(value, str):
        for prefix in ("STATE_", "STEP_KIND_", "STEP_PHASE_", "PLATFORM_"):
            if value.startswith(prefix):
                word = value.removeprefix(prefix)
                return word if prefix == "PLATFORM_" else word.lower()
    return value
