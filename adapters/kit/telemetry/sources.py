"""What a worker counts: its calls, its exchanges with the far system and their circuit, its journal."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from adapters.kit.journal import DurableJournal, Journal
from adapters.kit.pipeline import Gate
from adapters.kit.upstream import Guard, place
from metip.breaker import State
from metip.telemetry import families
from metip.telemetry.samples import Samples
from metip.telemetry.spread import Counted

DAY: Final = 86_400.0


def of_calls(system: str, calls: Mapping[str, Counted], gate: Gate, samples: Samples) -> None:
    """Calls of each operation, and how full the worker is."""
    for operation, counted in calls.items():
        for outcome, count in counted.outcomes.items():
            samples.put(families.CALLS, count, system, operation, outcome)
        samples.put_spread(families.CALL_SECONDS, counted.spread, system, operation)
    samples.put(families.IN_PROGRESS, gate.inside, system)
    samples.put(families.IN_PROGRESS_LIMIT, gate.limit, system)


def of_upstreams(system: str, guards: Iterable[Guard], samples: Samples) -> None:
    """Exchanges with the far system; of several ways to one address together."""
    for guard in guards:
        at = place(guard.limits.address)
        for outcome, count in guard.exchanges.outcomes.items():
            samples.put(families.UPSTREAM_CALLS, count, system, at, outcome)
        samples.put_spread(families.UPSTREAM_SECONDS, guard.exchanges.spread, system, at)
        samples.put(families.UPSTREAM_WAITING, guard.waiting, system, at)
        samples.put_state(families.BREAKER, [state.value for state in State], guard.breaker.state.value, system, at)
        samples.put(families.BREAKER_OPENED, guard.opened, system, at)


def of_journal(name: str, journal: Journal, samples: Samples) -> None:
    """How the journal does; nothing of an adapter that keeps none."""
    if isinstance(journal, DurableJournal):
        health = journal.health
        samples.put(families.JOURNAL_WRITABLE, float(health.writable), name)
        samples.put(families.JOURNAL_RECORDS, health.records, name)
        samples.put(families.JOURNAL_FAILED, health.failed, name)
        samples.put(families.JOURNAL_WAITING, health.waiting, name)


def of_certificate(path: Path | None, samples: Samples) -> None:
    """How long the adapter's own certificate lasts. Raises `OSError` and `ValueError`."""
    if path is None:
        return
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    ends, now = certificate.not_valid_after_utc, datetime.now(UTC)
    soon = ends - now < min((ends - certificate.not_valid_before_utc) / 3, families.WARN_WITHIN)
    samples.put(families.CERTIFICATE_DAYS, (ends - now).total_seconds() / DAY, "adapter")
    samples.put(families.CERTIFICATE_SOON, float(soon), "adapter")
