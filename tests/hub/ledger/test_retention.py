"""Retention: what is over is erased, by its keys; nobody finds or opens it again, and the ledger verifies as before."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from gathered import START, Gathered
from ledger_service import WHY, served
from postgres import Postgres
from waiting import until

from hub.ledger import retention, verifier
from hub.ledger.copying import as_file
from hub.ledger.postgres.connecting import Server
from hub.ledger.retention import DEFAULT_MONTHS, Erasure, Retention
from metip.ledger.v1 import ledger_service_pb2 as api
from metip.ledger.v1 import query_pb2, record_pb2
from metip.settings import SettingsError

INTERFACE = "metip.example.v1.ExampleService"
OTHER = "metip.other.v1.OtherService"
YEARS_AGO = -7 * 366 * 86_400.0
"""Seconds from the beginning of the tests' time to a record whose time is over."""
OF_VEHICLE = query_pb2.Query(subjects=[query_pb2.Identifier(kind="vrm", value="AB12CDE")])
OVER = {
    # (months kept, month of the record, today, whether it is over)
    "the last day of the time": (72, "2020-11", date(2026, 11, 30), False),
    "the first day after it": (72, "2020-11", date(2026, 12, 1), True),
    "one month": (1, "2026-10", date(2026, 12, 1), True),
    "one month, the day before": (1, "2026-10", date(2026, 11, 30), False),
    "over the end of a year": (12, "2025-12", date(2026, 12, 31), False),
    "over the end of a year, later": (12, "2025-12", date(2027, 1, 1), True),
    "a month to come": (1, "2027-01", date(2026, 11, 25), False),
}


@pytest.mark.parametrize(("months", "month", "today", "over"), OVER.values(), ids=OVER)
def test_a_month_is_kept_whole_months_after_its_end(months: int, month: str, today: date, over: bool) -> None:
    assert Retention(months).over(INTERFACE, month, today) is over


def test_an_interface_may_have_a_time_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "retention.yaml").write_text(f"interfaces:\n  - {{interface: {INTERFACE}, months: 120, basis: line 12}}\n")
    found = retention.read(tmp_path / "retention.yaml")
    assert (found.kept(INTERFACE), found.kept(OTHER), found.months) == (120, 72, DEFAULT_MONTHS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"interfaces:\n  - {{interface: {INTERFACE}, months: 0, basis: line 12}}\n", id="no months"),
        pytest.param(f"interfaces:\n  - {{interface: {INTERFACE}, months: 12}}\n", id="no basis"),
        pytest.param("years: 6\n", id="no such setting"),
        pytest.param("interfaces:\n" + f"  - {{interface: {INTERFACE}, months: 12, basis: line 12}}\n" * 2, id="twice"),
    ],
)
def test_a_file_that_says_no_time_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "retention.yaml").write_text(text)
    with pytest.raises(SettingsError):
        retention.read(tmp_path / "retention.yaml")


@pytest.fixture
def estate(tmp_path: Path, server: Server | None) -> Iterator[Gathered]:
    """A ledger of two old months of one interface, an old one of another, and today's."""
    found = Gathered(tmp_path, server)
    old = [found.draft(("vrm", "AB12CDE"), at=YEARS_AGO + n) for n in range(3)]
    older = [found.draft(("vrm", "AB12CDE"), at=YEARS_AGO - 40 * 86_400)]
    other = [found.draft(("vrm", "AB12CDE"), at=YEARS_AGO, operation=f"{OTHER}/FindOther")]
    found.write([*older, *old, *other, found.draft(("vrm", "AB12CDE"), at=0)])
    found.gather()
    yield found
    found.close()


def due(estate: Gathered, kept: Retention, before: date = date(2026, 11, 1)) -> tuple[Erasure, ...]:
    """What may be erased today."""
    return estate.store.change(lambda db: retention.due(db, kept, before, START.date()))


def month_of(seconds: float) -> str:
    """The month of a record."""
    when: datetime = START + timedelta(seconds=seconds)
    return f"{when:%Y-%m}"


def test_only_what_is_over_and_ended_before_the_day_is_due(estate: Gathered) -> None:
    old, older = month_of(YEARS_AGO), month_of(YEARS_AGO - 40 * 86_400)
    assert [(one.interface, one.month, one.records) for one in due(estate, Retention())] == [
        (INTERFACE, older, 1),
        (INTERFACE, old, 3),
        (OTHER, old, 1),
    ]
    longer = Retention(of_interfaces=MappingProxyType({INTERFACE: 1200}))
    assert [one.interface for one in due(estate, longer)] == [OTHER]
    first_of_old = date(int(old[:4]), int(old[5:]), 1)
    assert [one.month for one in due(estate, Retention(), first_of_old)] == [older]


def test_what_is_erased_leaves_the_index_and_loses_its_keys_and_nothing_else_changes(estate: Gathered) -> None:
    groups = [one for one in due(estate, Retention()) if one.interface == INTERFACE]
    before = estate.rows("SELECT leaf FROM leaves ORDER BY idx")
    done, ids = estate.engine.erase(groups, 1)
    assert [(one.month, one.keys, one.records, one.tokens) for one in done] == [
        (one.month, 1, one.records, 3 * one.records) for one in groups
    ]
    assert len(ids) == 2
    assert estate.rows("SELECT leaf FROM leaves ORDER BY idx") == before
    assert estate.rows("SELECT count(*) FROM facts") == [(len(before),)]
    remaining = estate.rows("SELECT DISTINCT t.idx FROM tokens t JOIN facts f ON f.idx = t.idx JOIN keys k ON k.number = f.key")
    assert len(remaining) == 2, "the other interface's and today's"


def test_nothing_of_a_key_or_a_token_is_left_in_the_files(estate: Gathered, postgres: Postgres) -> None:
    estate.write([estate.draft(("vrm", "XY34ZZZ"), at=YEARS_AGO - 80 * 86_400)])
    estate.gather()
    secret = estate.rows("SELECT wrapped FROM keys ORDER BY month")[0][0]
    token = estate.keys.token("vrm", "XY34ZZZ").value
    if estate.server is not None:
        assert secret in postgres.content()
    else:
        assert secret in _content(estate)
        assert token in _content(estate)
    estate.engine.erase(due(estate, Retention()), 1)
    content = _content(estate) if estate.server is None else postgres.content()
    assert secret not in content
    assert token not in content
    assert estate.rows("SELECT count(*) FROM tokens") == [(3,)], "today's are still there"


def test_a_journal_that_is_gathered_anew_brings_no_erased_key_back(estate: Gathered) -> None:
    from hub.ledger import index
    from hub.ledger.index import WrappedKey

    estate.engine.erase(due(estate, Retention()), 1)
    rows = estate.rows("SELECT id, journal, interface, month FROM keys WHERE wrapped IS NULL")
    assert rows
    again = [WrappedKey(key_id, journal, interface, month, b"again") for key_id, journal, interface, month in rows]
    estate.store.change(lambda db: index.add_keys(db, again))
    assert estate.rows("SELECT count(*) FROM keys WHERE wrapped IS NOT NULL AND length(wrapped) = 5") == [(0,)]


def _content(estate: Gathered) -> bytes:
    return b"".join(path.read_bytes() for path in estate.folder.glob("ledger.sqlite*"))


@pytest.mark.asyncio
async def test_an_operator_erases_and_the_ledger_says_so_and_still_verifies(tmp_path: Path, server: Server | None) -> None:
    async with served(tmp_path, server) as found:
        estate = found.estate()
        estate.write([estate.draft(("vrm", "AB12CDE"), at=YEARS_AGO), estate.draft(("vrm", "AB12CDE"), at=0)])
        await found.gathered(2)
        query = query_pb2.Query(kind=record_pb2.KIND_OPERATION)
        query.MergeFrom(OF_VEHICLE)
        search = api.SearchRecordsRequest(access=WHY, query=query)
        assert len((await found.ask("SearchRecords", search)).lines) == 2
        request = api.EraseRecordsRequest(access=WHY, dry_run=True)
        request.before.FromDatetime(START)
        planned = await found.ask("EraseRecords", request)
        assert [(one.interface, one.records, one.tokens) for one in planned.erasures] == [(INTERFACE, 1, 0)]
        assert len((await found.ask("SearchRecords", search)).lines) == 2, "a dry run erases nothing"
        request.dry_run = False
        done = await found.ask("EraseRecords", request, token=found.token("ledger-keeper"))
        assert [(one.interface, one.records, one.tokens) for one in done.erasures] == [(INTERFACE, 1, 3)]
        assert list(done.left_in_journals) == ["example-0"]
        assert len((await found.ask("SearchRecords", search)).lines) == 1
        of_operation = api.SearchRecordsRequest(access=WHY, query=query_pb2.Query(operation=f"{INTERFACE}/*"))
        lines = (await found.ask("SearchRecords", of_operation)).lines
        assert [one.sealing for one in lines] == [query_pb2.SEALING_SEALED, query_pb2.SEALING_ERASED]
        unmask = api.GetRecordRequest(access=WHY, index=lines[1].index, unmask=True)
        shown = await found.ask("GetRecord", unmask, token=found.token("unmask"))
        assert not shown.HasField("particulars")
        actions = api.SearchRecordsRequest(access=WHY, query=query_pb2.Query(operation="ledger/erase"))

        async def recorded() -> bool:
            return len((await found.ask("SearchRecords", actions)).lines) == 2

        await until(recorded, within=20)
        status = await found.ask("GetStatus", api.GetStatusRequest())
        assert (status.erased, status.unopened) == (1, 0)
        keys = [str(one) for one in found.ledger.verifier_keys()]
    with as_file(found.files) as file:
        report = verifier.verify(file, verifier.keys(keys))
    assert report.verified, report.fault
