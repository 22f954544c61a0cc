"""What operators do is in the hub's own journal before they hear of it, and says who, why and on whom; what is personal is sealed."""

from pathlib import Path
from typing import Any

import apsw
import pytest

from hub.ledger.actions import Action, Person
from hub.ledger.index import WrappedKey
from hub.ledger.opening import Unsealing
from hub.ledger.recording import HubJournal
from hub.ledger.running import files
from metip.faults import Fault, Reason
from metip.hub.v1 import settings_pb2
from metip.journal.blinding import IndexKeys
from metip.journal.keys import ensure_keys
from metip.ledger.v1 import record_pb2
from metip.options.v1 import options_pb2

OPERATOR, SIGNED_IN = "os://desk/alex", "sso://sso.metip.example/f81d4fae"


def opened(folder: Path) -> HubJournal:
    """A journal in a folder, with keys."""
    ensure_keys(folder / "keys")
    return HubJournal(folder / "journals", folder / "keys", IndexKeys(folder / "keys" / "index"), on_broken=lambda _: None)


def last(folder: Path) -> tuple[record_pb2.Record, record_pb2.Particulars]:
    """The last record of the journal, opened."""
    db = apsw.Connection(str(folder / "journals" / "hub.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    rows: Any = db.execute("SELECT record FROM records ORDER BY position DESC LIMIT 1").fetchall()
    keys: Any = {row[0]: row[1:] for row in db.execute("SELECT id, interface, month, wrapped FROM keys")}
    db.close()
    record = record_pb2.Record.FromString(rows[0][0])
    particulars = Unsealing(folder / "keys" / "sealing").open(record, lambda key_id: WrappedKey(key_id, "hub", *keys[key_id]))
    assert particulars is not None
    return record, particulars


@pytest.mark.asyncio
async def test_an_action_says_who_did_what_why_and_is_found_by_the_officer_and_the_reference(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    keys = IndexKeys(tmp_path / "keys" / "index")
    subject = keys.token("vrm", "AB12CDE")
    person = Person("700007XX", "01", "DPS", ("unmask",))
    why: Any = {"purpose": options_pb2.PURPOSE_AUDIT, "reason": "complaint 17", "reference": "CAD 1"}
    what: Any = {"verb": options_pb2.VERB_CONSULTATION, "detail": "record 4", "disclosed": 1, "tokens": (subject,)}
    await journal.record(Action("ledger/show", OPERATOR, person=person, **why, **what))
    record, particulars = last(tmp_path)
    assert (record.kind, record.operation, record.consumer, record.purpose) == (3, "ledger/show", OPERATOR, options_pb2.PURPOSE_AUDIT)
    assert (record.force, record.unit, record.disclosed, record.outcome) == ("01", "DPS", 1, "OK")
    assert (particulars.officer, particulars.justification, particulars.detail) == ("700007XX", "complaint 17", "record 4")
    values = {(one.kind, one.value) for one in particulars.tokens}
    wanted = {("officer", "700007XX"), ("reference", "CAD1"), ("vrm", "AB12CDE")}
    assert values == {(kind, keys.token(kind, normal).value) for kind, normal in wanted}
    assert b"700007XX" not in record.SerializeToString()
    journal.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("author", "consumer", "officer"),
    [(OPERATOR, OPERATOR, ""), (SIGNED_IN, SIGNED_IN, ""), ("700007XX", "", "700007XX")],
    ids=["user", "console", "person"],
)
async def test_other_parts_of_the_hub_record_by_the_same_journal(tmp_path: Path, author: str, consumer: str, officer: str) -> None:
    journal = opened(tmp_path)
    await journal.record_action("messages/unmask", author, options_pb2.PURPOSE_AUDIT, "message 1: complaint 17")
    record, particulars = last(tmp_path)
    assert (record.operation, record.consumer, particulars.officer) == ("messages/unmask", consumer, officer)
    assert particulars.detail == "message 1: complaint 17"
    journal.close()


@pytest.mark.asyncio
async def test_a_closed_journal_refuses_with_a_reason(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.close()
    with pytest.raises(Fault) as caught:
        await journal.record_action("messages/unmask", OPERATOR, options_pb2.PURPOSE_AUDIT, "message 1")
    assert caught.value.reason is Reason.JOURNAL


def test_paths_start_at_the_settings_folder_and_have_defaults_in_the_state_folder(tmp_path: Path) -> None:
    state = tmp_path / "state"
    found = files(settings_pb2.Ledger(keys="identity/ledger"), tmp_path, state)
    assert (found.ledger, found.journals, found.keys) == (state / "ledger.sqlite", state / "journals", tmp_path / "identity" / "ledger")
    assert found.retention is None
    said = settings_pb2.Ledger(keys="k", journals="j", file="l.sqlite", retention="r.yaml", witness_key="w")
    found = files(said, tmp_path, state)
    assert (found.ledger, found.journals, found.retention) == (state / "l.sqlite", tmp_path / "j", tmp_path / "r.yaml")
