"""`metip ledger status`: how large and how far signed the ledger is, and how far each journal is gathered."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.exchange.moments import age
from hub.cli.ledger.asking import Asker, asked
from hub.cli.options import home_option, json_option
from hub.cli.printing import FAILED, OK, WARNED, mark
from hub.cli.watching import watch_option

LATE: Final = 10.0
"""Seconds of lag from which on a journal is marked."""


@click.command(
    epilog="\b\nExamples:\n  metip ledger status\n  metip ledger status --json\n\n"
    "Ends with status 1 if a journal has a gap, if it waits for more than ten seconds, if records can't be opened, or if the witness "
    "refuses or has lagged for too long, or if an answered call has no record. What a gap means: docs/ledger.md."
)
@home_option
@json_option
@watch_option
def status(home: Path, as_json: bool) -> None:
    """Show how large and how far signed the ledger is, and how far each journal is gathered."""
    from metip.ledger.v1.ledger_service_pb2 import GetStatusRequest

    found = asked(Asker(home, as_json), lambda ledger: ledger.ask("GetStatus", GetStatusRequest()))
    if as_json:
        printing.print_json(document(found))
    else:
        for text in _head(found):
            click.echo(text)
        now = datetime.now(UTC)
        printing.print_table(("journal", "gathered", "lag", "last record", "condition"), [_row(one, now) for one in found.journals])
    if found.unopened or found.reconciliation.missing or not witnessed(found) or not all(map(_well, found.journals)):
        click.get_current_context().exit(1)


def document(found: Any) -> dict[str, Any]:
    """The status as JSON."""
    journals = [
        {
            "name": one.name,
            "position": one.position,
            "lag_seconds": round(one.lag_seconds, 3),
            "gap": one.gap,
            "gap_position": one.gap_position,
            "gap_since": one.gap_since.ToJsonString() if one.HasField("gap_since") else None,
            "last_record": one.last_record.ToJsonString() if one.HasField("last_record") else None,
        }
        for one in found.journals
    ]
    return {
        "size": found.size,
        "checkpoint": found.checkpoint,
        "cosigned": found.cosigned,
        "cosigned_size": _size(found.cosigned),
        "unopened": found.unopened,
        "erased": found.erased,
        "index_keys": list(found.index_keys),
        "witness": _witness(found),
        "reconciliation": _agreement(found),
        "journals": journals,
    }


def _head(found: Any) -> list[str]:
    witnessed = _size(found.cosigned)
    state = OK if witnessed == found.size else WARNED
    said = f"co-signed up to {witnessed:,}" if witnessed is not None else "not co-signed: no witness has seen it"
    if found.HasField("witness") and found.witness.problem:
        state = state if found.witness.healthy else FAILED
        said += f"; the witness has lagged for {printing.span(found.witness.lag_seconds)}: {printing.clean(found.witness.problem)}"
    lines = [f"{mark(OK)} {found.size:,} records, signed", f"{mark(state)} {said}"]
    if found.unopened:
        words = printing.count(found.unopened, "record")
        lines.append(f"{mark(FAILED)} {words} whose particulars can't be opened: no subject finds them")
    if found.erased:
        lines.append(f"{mark(OK)} {printing.count(found.erased, 'record')} whose particulars were erased")
    return [*lines, *_books(found), ""]


def _books(found: Any) -> list[str]:
    """How the ledger agrees with what Envoy saw."""
    if not found.HasField("reconciliation"):
        return []
    one = found.reconciliation
    waiting = f", {one.waiting:,} too new to tell" if one.waiting else ""
    books = f"{one.recorded:,} have their record, {one.missing:,} are missing{waiting}"
    lines = [
        f"{mark(FAILED if one.missing else OK)} Envoy saw {one.answered:,} answered calls on personal data: {books}",
        f"{mark(OK)} Envoy refused {one.refused:,} calls and connections, each recorded",
    ]
    return lines + [f"  no record of call {call.call_id} of {call.operation}, {call.at.ToJsonString()}" for call in one.missing_calls]


def _row(one: Any, now: datetime) -> tuple[str, ...]:
    late = one.lag_seconds > LATE
    sign = mark(FAILED if one.gap else WARNED if late else OK)
    condition = f"{one.gap} at {one.gap_position}, for {age(one.gap_since, now)}" if one.gap else "late" if late else "follows"
    return (f"{sign} {one.name}", str(one.position), printing.span(one.lag_seconds), age(one.last_record, now), condition)


def _agreement(found: Any) -> dict[str, Any] | None:
    if not found.HasField("reconciliation"):
        return None
    one = found.reconciliation
    missing = [{"call_id": call.call_id, "at": call.at.ToJsonString(), "operation": call.operation} for call in one.missing_calls]
    counts = {"answered": one.answered, "recorded": one.recorded, "missing": one.missing, "waiting": one.waiting, "refused": one.refused}
    return {**counts, "missing_calls": missing}


def witnessed(found: Any) -> bool:
    """Whether nobody waits for the witness; so where there is none."""
    return not found.HasField("witness") or bool(found.witness.healthy)


def _witness(found: Any) -> dict[str, Any] | None:
    one = found.witness
    if not found.HasField("witness"):
        return None
    return {"size": one.size, "lag_seconds": round(one.lag_seconds, 3), "problem": one.problem, "healthy": one.healthy}


def _well(one: Any) -> bool:
    return not one.gap and one.lag_seconds <= LATE


def _size(note: str) -> int | None:
    lines = note.splitlines()
    return int(lines[1]) if len(lines) > 1 and lines[1].isdecimal() else None
