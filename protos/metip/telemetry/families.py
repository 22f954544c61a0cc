"""Every metric there is, with its labels: one literal table for the code, the page `docs/operations/telemetry.md`, dashboards and alerts.

The law: whoever counts something gives it a line here first. A name once published keeps its meaning; what is no longer measured is taken
out here and in every dashboard and alert, which a test compares.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final


class Kind(Enum):
    """What a metric is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name, what it is, and which labels it has."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


WARN_WITHIN: Final = timedelta(days=30)
"""How long before its end a certificate is to be replaced; a third of its life where that is shorter."""
C, G, H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

# Every process.
PROCESS_INFO: Final = Family("metip_process_info", G, "1; names the process", ("process", "system"))
CLOCK: Final = Family("metip_clock_seconds", G, "The machine's clock, in Unix time; compare with timestamp() of the same sample")
LOOP_LAG: Final = Family("metip_loop_lag_seconds", G, "How late the event loop was at worst since the last scrape but one")
DISK_FREE: Final = Family("metip_disk_free_bytes", G, "Room left, for this user, on the disk that holds the folder", ("folder",))
DISK_SIZE: Final = Family("metip_disk_size_bytes", G, "Size of that disk", ("folder",))
CERTIFICATE_DAYS: Final = Family("metip_certificate_days", G, "Days until the certificate ends; negative once it has", ("use",))
CERTIFICATE_SOON: Final = Family(
    "metip_certificate_expires_soon", G, "1 when it is time to replace it: 30 days ahead, or in the last third of a shorter life", ("use",)
)
FOLDED: Final = Family("metip_telemetry_other_total", C, "Label values that nobody declared, counted under `other`", ("metric",))
SOURCE_FAILED: Final = Family("metip_telemetry_source_failed_total", C, "Times that a part of these metrics could not be read", ("source",))
SPANS: Final = Family("metip_telemetry_spans_total", C, "Spans by what became of them; dropped when the queue was full", ("fate",))
EVERY_PROCESS: Final = (
    PROCESS_INFO,
    CLOCK,
    LOOP_LAG,
    DISK_FREE,
    DISK_SIZE,
    CERTIFICATE_DAYS,
    CERTIFICATE_SOON,
    FOLDED,
    SOURCE_FAILED,
    SPANS,
)

# Adapters.
CALLS: Final = Family("metip_operation_calls_total", C, "Calls answered, by outcome: OK or the reason", ("system", "operation", "outcome"))
CALL_SECONDS: Final = Family("metip_operation_seconds", H, "From a call's arrival at the adapter to its answer", ("system", "operation"))
IN_PROGRESS: Final = Family("metip_operation_in_progress", G, "Calls in progress in this worker", ("system",))
IN_PROGRESS_LIMIT: Final = Family("metip_operation_in_progress_limit", G, "Calls that may be in progress in this worker", ("system",))
UPSTREAM_CALLS: Final = Family(
    "metip_upstream_exchanges_total", C, "Exchanges with the far system, by outcome", ("system", "upstream", "outcome")
)
UPSTREAM_SECONDS: Final = Family("metip_upstream_seconds", H, "How long the far system took, from a free place on", ("system", "upstream"))
UPSTREAM_WAITING: Final = Family("metip_upstream_waiting", G, "Calls that wait for a place at the far system", ("system", "upstream"))
BREAKER: Final = Family("metip_breaker_state", G, "1 for the state in which the circuit is", ("system", "upstream", "state"))
BREAKER_OPENED: Final = Family("metip_breaker_opened_total", C, "Times that the circuit opened", ("system", "upstream"))
JOURNAL_WRITABLE: Final = Family("metip_journal_writable", G, "1 while the journal can be written; 0 refuses disclosure", ("journal",))
JOURNAL_RECORDS: Final = Family("metip_journal_records_total", C, "Records that are on disk", ("journal",))
JOURNAL_FAILED: Final = Family("metip_journal_failed_total", C, "Groups of records that could not be written", ("journal",))
JOURNAL_WAITING: Final = Family("metip_journal_waiting", G, "Calls that wait for their record", ("journal",))
ADAPTER: Final = (
    CALLS,
    CALL_SECONDS,
    IN_PROGRESS,
    IN_PROGRESS_LIMIT,
    UPSTREAM_CALLS,
    UPSTREAM_SECONDS,
    UPSTREAM_WAITING,
    BREAKER,
    BREAKER_OPENED,
)
JOURNAL: Final = (JOURNAL_WRITABLE, JOURNAL_RECORDS, JOURNAL_FAILED, JOURNAL_WAITING)
"""Of every process that keeps a journal: the adapters' workers and the hub."""

# The hub: the mesh.
EDGE_CALLS: Final = Family(
    "metip_edge_calls_total",
    C,
    "Calls that Envoy let in and sent on, by the gRPC status with which they ended",
    ("operation", "status"),
)
ENVOYS: Final = Family("metip_mesh_envoys", G, "Envoys that are connected")
CHANGES: Final = Family("metip_mesh_changes_total", C, "Changes of the mesh, by outcome; rejected is a NACK", ("outcome",))
LAST_CHANGE: Final = Family("metip_mesh_last_change_timestamp_seconds", G, "Unix time at which the last change ended", ("outcome",))
CHANGE_SECONDS: Final = Family("metip_mesh_change_seconds", H, "From a change's turn to the last Envoy's answer")
ACKS: Final = Family("metip_mesh_acknowledged_total", C, "Answers in which an Envoy took what it was told (ACK)", ("type",))
NACKS: Final = Family("metip_mesh_refused_total", C, "Answers in which an Envoy refused what it was told (NACK)", ("type",))
INSTANCES: Final = Family("metip_system_instances", G, "Workers of a system whose lease runs", ("system",))
TIMEOUT: Final = Family("metip_operation_timeout_seconds", G, "The time limit that an operation's contract states", ("operation",))
REVIEW_DAYS: Final = Family("metip_review_days", G, "Days until an impact assessment must be reviewed; only those due soon", ("interface",))
REVIEWS_DUE: Final = Family("metip_reviews_due", G, "Impact assessments that must be reviewed soon")
MESH: Final = (EDGE_CALLS, ENVOYS, CHANGES, LAST_CHANGE, CHANGE_SECONDS, ACKS, NACKS, INSTANCES, TIMEOUT, REVIEW_DAYS, REVIEWS_DUE)

# The hub: the exchange.
ACCEPTED: Final = Family(
    "metip_exchange_messages_total",
    C,
    "Messages handed over one by one, by outcome: OK, or the reason of the refusal",
    ("operation", "outcome"),
)
ACCEPT_SECONDS: Final = Family("metip_exchange_accept_seconds", H, "From a message's arrival to its receipt", ("operation",))
BATCHED: Final = Family("metip_exchange_batched_total", C, "Messages handed over in bulk and kept", ("operation",))
BACKLOG: Final = Family("metip_subscription_messages", G, "Messages of a subscription, by state", ("subscription", "state"))
OLDEST: Final = Family(
    "metip_subscription_oldest_seconds", G, "Age of the oldest message that still waits to be delivered; 0 for none", ("subscription",)
)
LIMIT: Final = Family(
    "metip_subscription_limit", G, "Messages that may wait before the operation is refused to producers", ("subscription",)
)
DELAY: Final = Family("metip_subscription_delay_seconds", G, "For how long the contract holds each message back", ("subscription",))
PAUSED: Final = Family("metip_subscription_paused", G, "1 while somebody has paused it", ("subscription",))
UNREACHABLE: Final = Family(
    "metip_subscription_unreachable_seconds",
    G,
    "For how long nobody of the subscriber can be reached; 0 while somebody can",
    ("subscription",),
)
ATTEMPTS: Final = Family("metip_delivery_attempts_total", C, "Attempts that ended, by what followed", ("subscription", "event"))
FAILURES: Final = Family(
    "metip_delivery_failures_total",
    C,
    "Attempts that delivered nothing, by reason: the adapter's own, UNREACHABLE where none could be asked, NO_ANSWER where none answered",
    ("subscription", "reason"),
)
ATTEMPT_SECONDS: Final = Family("metip_delivery_attempt_seconds", H, "How long one attempt took", ("subscription",))
DELIVERY_SECONDS: Final = Family("metip_delivery_seconds", H, "From acceptance to delivery, whatever came between", ("subscription",))
EXCHANGE: Final = (
    ACCEPTED,
    ACCEPT_SECONDS,
    BATCHED,
    BACKLOG,
    OLDEST,
    LIMIT,
    DELAY,
    PAUSED,
    UNREACHABLE,
    ATTEMPTS,
    FAILURES,
    ATTEMPT_SECONDS,
    DELIVERY_SECONDS,
)

# The hub: the ledger.
LEDGER_SIZE: Final = Family("metip_ledger_records", G, "Records in the ledger")
LEDGER_READY: Final = Family("metip_ledger_ready", G, "1 while the ledger takes records; 0 with a full disk, or a server that is away")
GATHER_LAG: Final = Family(
    "metip_ledger_lag_seconds", G, "Age of the oldest record of a journal that is not gathered; 0 for none", ("journal",)
)
GATHER_POSITION: Final = Family("metip_ledger_gathered", G, "Position up to which a journal is gathered", ("journal",))
GATHER_GAP: Final = Family("metip_ledger_gap", G, "1 while a journal does not follow, by what is wrong with it", ("journal", "trouble"))
RECONCILED: Final = Family(
    "metip_ledger_answered", G, "Answered calls on personal data in Envoy's log, by where their record is", ("record",)
)
RECONCILED_BEHIND: Final = Family("metip_ledger_reconciliation_seconds", G, "Age of the oldest answered call whose record may still come")
EDGE_REFUSED: Final = Family("metip_ledger_refused", G, "Calls and connections that Envoy refused, as its log has them")
WITNESS_LAG: Final = Family("metip_ledger_witness_lag_seconds", G, "For how long there has been a checkpoint that is not cosigned")
WITNESS_HEALTHY: Final = Family("metip_ledger_witness_healthy", G, "0 when the witness lags too far, or knows another ledger")
LEDGER: Final = (
    LEDGER_SIZE,
    LEDGER_READY,
    GATHER_LAG,
    GATHER_POSITION,
    GATHER_GAP,
    RECONCILED,
    RECONCILED_BEHIND,
    EDGE_REFUSED,
    WITNESS_LAG,
    WITNESS_HEALTHY,
)

# The hub: parallel running.
MIGRATION_STATE: Final = Family("metip_migration_state", G, "1 for the state in which an interface stands", ("interface", "state"))
MIGRATION_PERCENT: Final = Family("metip_migration_percent", G, "Per cent of its calls that the new platform answers", ("interface",))
MIGRATION_SINCE: Final = Family("metip_migration_since_timestamp_seconds", G, "Unix time since when it stands there", ("interface",))
STEPPED_BACK: Final = Family("metip_migration_stepped_back_total", C, "Steps back that it made by itself, for a breach", ("interface",))
WEIGHT: Final = Family("metip_traffic_weight", G, "Weight of a system in an interface's share of calls", ("interface", "system"))
SAMPLES: Final = Family("metip_parity_samples_total", C, "Sampled calls by what became of them", ("operation", "fate"))
COMPARED: Final = Family("metip_parity_compared", G, "Pairs compared since the interface stands where it stands", ("interface",))
DIFFERING: Final = Family("metip_parity_differing", G, "Those of them that differ in more than noise and what was accepted", ("interface",))
PARITY: Final = Family("metip_parity_lower", G, "Lower bound of agreement, 0 to 1 (95 %, Wilson)", ("interface",))
PARALLEL: Final = (
    MIGRATION_STATE,
    MIGRATION_PERCENT,
    MIGRATION_SINCE,
    STEPPED_BACK,
    WEIGHT,
    SAMPLES,
    COMPARED,
    DIFFERING,
    PARITY,
)

SECTIONS: Final = {
    "Every process": EVERY_PROCESS,
    "Adapters": ADAPTER,
    "Every process with a journal": JOURNAL,
    "The hub: mesh": MESH,
    "The hub: exchange": EXCHANGE,
    "The hub: ledger": LEDGER,
    "The hub: parallel running": PARALLEL,
}
FAMILIES: Final = {family.name: family for section in SECTIONS.values() for family in section}
