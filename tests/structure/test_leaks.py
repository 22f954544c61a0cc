"""The look for personal data in clear has teeth: it knows everybody of the population, and finds what is planted, wherever that is."""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from checkout import ROOT
from leaks import ALLOWED, EXCHANGE, KEPT_BY_THE_EXCHANGE, Leak, kinds_in, leaks_of, leaks_of_home

from adapters.kit.population import STORIES, Population
from hub.exchange.sqlite import schema

POPULATION = Population()
PERSON = POPULATION.person(STORIES["wanted"])
ADDRESS = POPULATION.address(PERSON.address_number)
ARREST = POPULATION.arrests()[0]
BY_KIND: dict[str, Callable[[], list[str]]] = {
    "surname": lambda: [form for one in POPULATION.people() for form in (one.surname, one.surname.upper())],
    "forename": lambda: [name for one in POPULATION.people() for name in one.forenames],
    "birth": lambda: [f'"date_of_birth": "{one.date_of_birth}"' for one in POPULATION.people()],
    "telephone": lambda: [one.phone for one in POPULATION.people() if one.phone],
    "pnc_id": lambda: [one.pnc_id for one in POPULATION.people() if one.pnc_id],
    "cro": lambda: [one.cro for one in POPULATION.people() if one.cro],
    "driver_number": lambda: [one.driver_number for one in POPULATION.people() if one.driver_number],
    "street": lambda: [one.lines[-2] for one in POPULATION.addresses()],
    "postcode": lambda: [form for one in POPULATION.addresses() for form in (one.postcode, one.postcode.replace(" ", "%20"))],
    "uprn": lambda: [str(one.uprn) for one in POPULATION.addresses()],
    "vrm": lambda: [one.vrm for one in POPULATION.vehicles()],
    "vin": lambda: [one.vin for one in POPULATION.vehicles()],
    "arrest_summons_number": lambda: [one.asn for one in POPULATION.arrests()],
    "custody_number": lambda: [one.custody_number for one in POPULATION.arrests()],
    "court_case_reference": lambda: [one.court_case_reference for one in POPULATION.arrests() if one.court_case_reference],
    "pti_urn": lambda: [one.pti_urn for one in POPULATION.arrests() if one.pti_urn],
    "cris_crime_reference": lambda: [one.reference for one in POPULATION.crimes()],
    "cad_number": lambda: [one.cad_number for one in POPULATION.crimes() if one.cad_number],
    "merlin_reference": lambda: [one.reference for one in POPULATION.episodes()],
}
HARMLESS = [
    '{"at":"2026-11-25T21:51:23.120Z","event":"operation","operation":"metip.example.v1.ExampleService/GetExample","outcome":"OK"}',
    "cluster.metip.example.v1.ExampleService.upstream_rq_time: P0(nan,1) P25(nan,1.05) P99(nan,9990.12345678)",
    "accepted 2026-11-25T22:12:18.129123456Z, see 21PAC123456 in the contract's comment",
    "0197c5a0-0000-8000-8000-00000000002a 127.0.0.1:50901 spiffe://metip.local/consumer/developer born to be wild",
]


@pytest.mark.parametrize("kind", BY_KIND)
def test_everybody_and_everything_of_the_population_is_known(kind: str) -> None:
    values = BY_KIND[kind]()
    assert len(values) > 100
    assert [value for value in values if kind not in kinds_in(f'{{"x":"{value}"}}'.encode())] == []


def test_names_numbers_and_places_of_the_platform_are_nobodys() -> None:
    assert kinds_in("\n".join(HARMLESS).encode()) == frozenset()


def test_the_digits_of_a_measured_number_are_nobodys() -> None:
    assert kinds_in(f'{{"sum": 29.{ADDRESS.uprn}}}'.encode()) == frozenset()
    for written in (f"{ADDRESS.uprn}.5", f"29. {ADDRESS.uprn}", f"x.{ADDRESS.uprn}", f"2.1/{ADDRESS.uprn}"):
        assert kinds_in(written.encode()) == {"uprn"}


def test_the_digits_of_a_calls_id_are_nobodys() -> None:
    assert kinds_in(b'{"call_id":"0af76519-16cd-43dd-8448-20019123456a"}') == frozenset()
    assert kinds_in(b'{"pnc_id":"20019123456a"} 43dd-8448-20019123456a') == {"pnc_id"}


def test_random_bytes_are_nobodys() -> None:
    dice = random.Random(2026)
    assert kinds_in(dice.randbytes(2_000_000)) == frozenset()


def test_a_value_is_found_in_the_middle_of_other_bytes() -> None:
    assert kinds_in(b"\x00\xff\x12" + PERSON.surname.encode() + b"\x1a\x08") >= {"surname"}
    assert kinds_in(f"/v1/custody/{ARREST.custody_number.replace('/', '%2F')}?x=1".encode()) == {"custody_number"}


@pytest.fixture
def apart() -> Iterator[Path]:
    """A folder that this session itself does not look at."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def planted(home: Path, name: str, content: bytes = b"") -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_what_is_planted_in_a_log_an_index_or_a_name_is_found_by_file_and_kind_and_its_value_is_not_told(apart: Path) -> None:
    planted(apart, "logs/adapter-far.log", f'{{"event":"operation","problem":"no {PERSON.surname}"}}\n'.encode())
    planted(apart, "state/index.bin", b"\x00\x12" + POPULATION.vehicles()[0].vrm.encode() + b"\x00")
    planted(apart, f"state/{ARREST.custody_number.replace('/', '-')}.bin")
    planted(apart, "logs/hub.log", HARMLESS[0].encode())
    with closing(apsw.Connection(str(apart / "state" / "ledger.sqlite"))) as index:
        index.execute("create table facts (kind text, value text, other text)")
        index.execute("insert into facts values ('asn', ?, 'beside')", (ARREST.asn,))
    found = list(leaks_of_home(apart))
    expected = {
        Leak("logs/adapter-far.log", "surname"),
        Leak("state/index.bin", "vrm"),
        Leak("state/ledger.sqlite, table facts", "arrest_summons_number"),
        Leak("the name of a file in state", "custody_number"),
    }
    assert set(found) == expected
    assert not any(PERSON.surname in str(one) or ARREST.custody_number in str(one) for one in found)


def test_of_the_exchange_all_is_looked_at_but_messages_and_their_keys(apart: Path) -> None:
    database, _ = schema.opened(str(apart / EXCHANGE))
    try:
        known = {
            (table, str(row[1]))
            for (table,) in list(database.execute("select name from sqlite_schema where type = 'table'"))
            for row in database.execute(f"pragma table_info({table})")
        }
        assert known >= KEPT_BY_THE_EXCHANGE
        database.execute("insert into operation values (1, 'metip.example.v1.ExampleService/PublishExample')")
        values = (PERSON.surname, ARREST.custody_number, PERSON.surname.encode())
        database.execute("insert into message values (1, 1, ?, ?, ?, '', '', '', 0, 0, 0, 0, 0, '')", values)
        assert list(leaks_of_home(apart)) == []
        database.execute("insert into act values (0, 'P123456', 'purge', '', ?)", (f"asked for by {PERSON.surname}",))
        assert list(leaks_of_home(apart)) == [Leak(f"{EXCHANGE}, table act", "surname")]
    finally:
        database.close()
    assert isinstance(database, apsw.Connection)


def test_every_file_that_is_not_looked_at_has_its_reason() -> None:
    assert all(len(reason.split()) > 5 for reason in ALLOWED.values())


SESSION = """
from metip.faults import Fault, Reason, status_of
from metip.logs import Log
import io, pathlib
def test_says_nothing():
    Log(io.StringIO()).line("started", interfaces=1)
def test_faults():
    status_of(Fault(Reason.NO_TRACE, "nobody is called {surname}"), system="far", call_id="")
def test_logs():
    Log(io.StringIO()).line("operation", key="{vrm}")
    Log(io.StringIO()).prepared("operation", "key")("{pnc_id}")
def test_files(tmp_path):
    (tmp_path / "hub.yaml").write_text("")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "access.log").write_text("{postcode}")
"""
CONFTEST = """
import leak_watch
from leak_watch import _where_files_are, pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown
leak_watch.listen()
"""


def session(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A session of tests of its own, under the watch."""
    values = {"surname": PERSON.surname, "vrm": POPULATION.vehicles()[0].vrm, "pnc_id": PERSON.pnc_id, "postcode": ADDRESS.postcode}
    text = SESSION
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    (folder / "test_planted.py").write_text(text)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'base'}", *arguments]
    paths = os.pathsep.join((str(ROOT / "tests" / "support"), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("shared", [(), ("-n", "2")], ids=["alone", "shared-out"])
def test_a_session_in_which_something_leaks_fails_and_says_where_and_what_kind(apart: Path, shared: tuple[str, ...]) -> None:
    done = session(apart, *shared)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    said = done.stdout.partition("personal data in clear")[2]
    for words in (
        "fault NO_TRACE of far (test_planted.py::test_faults): surname",
        "::test_logs): vrm",
        "::test_logs): pnc_id",
        "access.log: postcode",
    ):
        assert words in said, said
    assert not any(value in done.stdout for value in (PERSON.surname, PERSON.pnc_id, ADDRESS.postcode))


def test_a_session_in_which_nothing_leaks_passes(apart: Path) -> None:
    done = session(apart, "-k", "says_nothing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in clear" not in done.stdout


def test_a_hundred_thousand_lines_are_looked_at_in_seconds() -> None:
    lines = "\n".join(HARMLESS * 33_333).encode()
    began = time.process_time()
    assert list(leaks_of("access.log", lines)) == []
    assert time.process_time() - began < 10
