"""Metrics of the ledger: how far journals are gathered, whether the books agree with Envoy's log, how far the witness is."""

from hub.ledger.recording import NAME, HubJournal
from hub.ledger.running import Ledger
from hub.ledger.watching import Watching
from metip.telemetry import families
from metip.telemetry.samples import Samples


def of_gathering(ledger: Ledger, samples: Samples) -> None:
    """The ledger, and how far each journal is gathered into it."""
    samples.put(families.LEDGER_SIZE, ledger.store.head.size)
    samples.put(families.LEDGER_READY, float(ledger.ready))
    for name, state in ledger.gathering.states.items():
        samples.put(families.GATHER_LAG, state.lag, name)
        samples.put(families.GATHER_POSITION, state.position, name)
        if state.gap is not None:
            samples.put(families.GATHER_GAP, 1, name, state.gap.trouble.value)
        else:
            samples.put(families.GATHER_GAP, 0, name, "")


def of_reconciliation(watching: Watching, samples: Samples) -> None:
    """Whether each answered call has its record."""
    counts = watching.counts
    for record, count in (("recorded", counts.recorded), ("missing", counts.missing), ("waiting", counts.waiting)):
        samples.put(families.RECONCILED, count, record)
    samples.put(families.RECONCILED_BEHIND, counts.behind)
    samples.put(families.EDGE_REFUSED, counts.refused)


def of_witness(ledger: Ledger, samples: Samples) -> None:
    """How far the witness is; nothing where there is none."""
    if ledger.cosigning is not None:
        state = ledger.cosigning.state
        samples.put(families.WITNESS_LAG, state.lag)
        samples.put(families.WITNESS_HEALTHY, float(state.healthy))


def of_own_journal(journal: HubJournal, samples: Samples) -> None:
    """How the hub's own journal does."""
    health = journal.journal.health
    samples.put(families.JOURNAL_WRITABLE, float(health.writable), NAME)
    samples.put(families.JOURNAL_RECORDS, health.records, NAME)
    samples.put(families.JOURNAL_FAILED, health.failed, NAME)
    samples.put(families.JOURNAL_WAITING, health.waiting, NAME)
