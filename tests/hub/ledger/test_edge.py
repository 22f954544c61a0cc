"""What Envoy saw against what was recorded: refusals become records once, answered calls without a record are named."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest
from gathered import Gathered

from adapters.kit.serving import installed_contracts
from hub.api.edge_seen import seen
from hub.ledger import edge
from hub.ledger.edge import GRACE, Reconciling
from hub.ledger.following import LogFile
from metip.journal.records import Recording
from metip.ledger.v1 import record_pb2

OPERATIONS = installed_contracts(date.min).operations
PERSONAL = next(one for one in OPERATIONS.values() if one.personal and one.delivery is None)
HARMLESS = next(one for one in OPERATIONS.values() if not one.personal)
CONSUMER = "spiffe://metip.local/consumer/test"
NOW = 1_800_000_000.0


def line(call_id: str = "c1", operation: str = PERSONAL.name, details: str = "via_upstream", status: int | None = 0, **more: Any) -> str:
    at = datetime.fromtimestamp(more.pop("at", NOW), UTC).isoformat()
    said = {"kind": "call", "at": at, "call_id": call_id, "consumer": CONSUMER, "path": f"/{operation}", "details": details, **more}
    return json.dumps(said | ({} if status is None else {"grpc_status": status}))


class Bench:
    """A log, a ledger that is told which calls have records, and the books."""

    books: Reconciling

    def __init__(self, folder: Path) -> None:
        self.log, self.gathered, self.now = folder / "edge.log", Gathered(folder), NOW
        self.gathered.store.change(edge.prepare)
        self.log.touch()
        self.begin({})

    def begin(self, marks: dict[str, int]) -> None:
        """As a process that starts."""
        if "books" in self.__dict__:
            self.books.close()
        recording = Recording("edge", self.gathered.keys)
        read = partial(seen, hub="spiffe://metip.local/hub")
        self.books = Reconciling(self.log, OPERATIONS, read, recording, marks, clock=lambda: self.now)

    def write(self, *lines: str) -> None:
        with self.log.open("a") as file:
            file.writelines(f"{one}\n" for one in lines)

    def record(self, *call_ids: str) -> None:
        """Gathers a record of each call."""
        for call_id in call_ids:
            self.gathered.store.change(partial(_recorded, call_id=call_id))

    def look(self) -> list[record_pb2.Record]:
        """One look; records of refusals."""
        drafts = self.gathered.store.change(self.books.look)
        self.gathered.store.change(self.books.settle)()
        return [one.record for one in drafts]

    @property
    def counts(self) -> edge.Counts:
        return self.gathered.store.change(self.books.counts)

    def missing(self) -> list[str]:
        return [call_id for call_id, _, _ in self.gathered.store.change(lambda db: edge.missing(db, limit=10))]


def _recorded(db: apsw.Connection, call_id: str) -> None:
    db.execute("INSERT OR IGNORE INTO names(text) VALUES(?)", (PERSONAL.name,))
    db.execute(
        "INSERT INTO facts(at, kind, operation, verb, consumer, force, unit, purpose, outcome, disclosed, call_id, opened)"
        " SELECT 0, 1, id, 1, 1, 1, 1, 1, 1, 0, ?, 1 FROM names WHERE text = ?",
        (call_id, PERSONAL.name),
    )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.books.close()
    found.gathered.close()


def test_a_call_with_a_record_is_in_the_books_and_one_without_is_missing_after_the_grace(bench: Bench) -> None:
    bench.write(line("c1"), line("c2"))
    bench.record("c1")
    bench.look()
    assert (bench.counts.answered, bench.counts.recorded, bench.counts.missing, bench.counts.waiting) == (2, 1, 0, 1)
    bench.now += GRACE + 1
    bench.look()
    assert (bench.counts.answered, bench.counts.recorded, bench.counts.missing, bench.counts.waiting) == (2, 1, 1, 0)
    assert bench.missing() == ["c2"]


def test_each_delivery_of_a_message_needs_its_own_record_beside_that_of_its_acceptance(bench: Bench) -> None:
    hub = "spiffe://metip.local/hub"
    bench.write(line("m1"), *[line("m1", consumer=hub) for _ in range(2)], line("m2", consumer=hub))
    bench.record("m1", "m1", "m2")
    bench.look()
    assert (bench.counts.answered, bench.counts.recorded, bench.counts.waiting) == (4, 0, 4)
    bench.record("m1", "m2")
    bench.look()
    assert (bench.counts.answered, bench.counts.recorded, bench.counts.waiting) == (4, 4, 0)


def test_a_record_that_comes_late_takes_its_call_off_the_list(bench: Bench) -> None:
    bench.write(line("c1"))
    bench.look()
    bench.now += GRACE + 1
    bench.look()
    assert bench.missing() == ["c1"]
    bench.record("c1")
    bench.look()
    assert bench.missing() == []
    assert bench.counts.missing == 0


def test_what_disclosed_nothing_needs_no_record_here(bench: Bench) -> None:
    bench.write(line("c1", HARMLESS.name), line("c2", status=7), line("c3", status=None, details="upstream_reset", upstream_sent=10))
    assert bench.look() == []
    assert bench.counts.answered == 0


@pytest.mark.parametrize(
    ("told", "reason", "operation"),
    [
        (line(details="rbac_access_denied_matched_policy[none]", status=7), "NOT_GRANTED", PERSONAL.name),
        (line(details="rbac_access_denied", status=7, token_of=CONSUMER, consumer=""), "NOT_GRANTED", PERSONAL.name),
        (line(details="rbac_access_denied", status=7, token_of=CONSUMER), "NOT_GRANTED", PERSONAL.name),
        (line(details="rbac_access_denied", status=7, token_of=f"{CONSUMER}-s-neighbour"), "TOKEN_OF_ANOTHER", PERSONAL.name),
        (line(details="jwt_authn_access_denied{Jwt_is_missing}", status=16), "OFFICER_NEEDED", PERSONAL.name),
        (line(details="jwt_authn_access_denied{Jwt_is_expired}", status=16), "TOKEN_EXPIRED", PERSONAL.name),
        (line(details="jwt_authn_access_denied{Jwt_verification_fails}", status=16), "TOKEN_REFUSED", PERSONAL.name),
        (line(details="route_not_found", status=12, operation="metip.nothing/Here"), "UNKNOWN_PATH", ""),
        (line(details="direct_response", status=16, refused="SEVERAL_IDENTITIES"), "CONSUMER_UNKNOWN", PERSONAL.name),
        (json.dumps({"kind": "connection", "at": "2027-01-15T08:00:00Z", "tls_failure": "TLS_error:…"}), "NO_TLS", ""),
    ],
    ids=lambda one: one if one.isupper() else "",
)
def test_each_refusal_becomes_a_record_with_its_own_reason(bench: Bench, told: str, reason: str, operation: str) -> None:
    bench.write(told)
    (record,) = bench.look()
    assert (record.kind, record.outcome, record.operation, record.platform) == (record_pb2.KIND_REFUSAL, reason, operation, "edge")
    assert bench.counts.refused == 1
    assert bench.look() == []


def test_a_new_process_records_no_refusal_twice_and_forgets_no_call_that_waits(bench: Bench) -> None:
    bench.write(line("c1"), line("r1", details="rbac_access_denied", status=7))
    (drafted,) = bench.gathered.store.change(bench.books.look)
    bench.gathered.store.change(bench.books.settle)()
    assert drafted.mark is not None
    bench.begin(dict([drafted.mark]))
    assert bench.look() == []
    bench.now += GRACE + 1
    bench.look()
    assert bench.missing() == ["c1"]
    assert (bench.counts.answered, bench.counts.refused) == (1, 1)


def test_what_could_not_be_kept_is_settled_again(bench: Bench) -> None:
    bench.write(line("c1"), line("c2"))
    bench.record("c1")
    bench.gathered.store.change(bench.books.look)
    bench.now += GRACE + 1
    with pytest.raises(ZeroDivisionError):
        bench.gathered.store.change(lambda db: (bench.books.settle(db), 1 / 0))
    assert bench.missing() == []
    bench.look()
    assert bench.missing() == ["c2"]
    assert (bench.counts.answered, bench.counts.recorded, bench.counts.waiting) == (2, 1, 0)


def test_a_log_that_was_rotated_is_read_from_its_beginning(bench: Bench) -> None:
    bench.write(line("c1"))
    bench.record("c1", "c2")
    bench.look()
    bench.log.rename(bench.log.with_suffix(".1"))
    bench.write(line("c2"))
    bench.look()
    assert (bench.counts.answered, bench.counts.recorded) == (2, 2)


def test_what_stands_in_a_log_when_it_is_rotated_is_read_before_the_new_one(bench: Bench) -> None:
    bench.write(line("c1"))
    bench.log.rename(bench.log.with_suffix(".1"))
    bench.write(line("c2"))
    bench.record("c1", "c2")
    bench.look()
    bench.look()
    assert (bench.counts.answered, bench.counts.recorded) == (2, 2)


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = tmp_path / "edge.log"
    path.write_text("one\ntw")
    with closing(LogFile(path)) as log:
        assert log.after(0) == (["one"], 4)
        with path.open("a") as file:
            file.write("o\n")
        assert log.after(4) == (["two"], 8)
