"""The bundle for support: what is masked and left out of it, and that it can be checked."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from leaks import kinds_in

from adapters.kit.population import reserved
from hub.cli import main
from hub.cli.doctor.bundle import Bundle
from hub.cli.doctor.looking import LINES, tail, why
from hub.cli.doctor.machine import machine, process, versions
from hub.cli.doctor.scrubbing import LEFT_OUT, Scrubber
from hub.cli.options import Problem
from metip.masking import MASK

SCRUBBER = Scrubber({"/srv/metip": "<home>", "/home/jbloggs": "~", "workstation-7": "<host>"}, "jbloggs")
AT = datetime(2026, 11, 26, 4, 30, tzinfo=UTC)

TEXTS = {
    "number_plate": (f"refused {reserved.vrm(7)} twice", f"refused {MASK} twice"),
    "plate_in_a_path": (f"/vehicles/{reserved.vrm(8)}", f"/vehicles/{MASK}"),
    "insurance_number": ("NINO QQ123456C, of whom", f"NINO {MASK}, of whom"),
    "author": ("changed by os://workstation-7/jbloggs, who left", f"changed by os://{MASK}, who left"),
    "signed_in": ("by sso://login.example/1234-5678 at noon", f"by sso://{MASK} at noon"),
    "mail": ("ask j.bloggs@police.example now", f"ask {MASK} now"),
    "device": ("from 10.20.30.40 to 127.0.0.1:8443", f"from {MASK} to 127.0.0.1:8443"),
    "home": ("/srv/metip/logs/hub.log and /home/jbloggs/x", "<home>/logs/hub.log and ~/x"),
    "user_and_host": ("jbloggs on workstation-7", "<user> on <host>"),
    "token": ("Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIi.c2ln end", f"{LEFT_OUT} end"),
    "key": ("-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----", LEFT_OUT),
    "time": ("at 2026-11-26T04:27:53.032Z", "at 2026-11-26T04:27:53.032Z"),
    "operation": ("metip.pnx.v1.ThingService/GetThing UNAVAILABLE", "metip.pnx.v1.ThingService/GetThing UNAVAILABLE"),
    "digest": ("a4ce27fccfeec856baac405feef97e27be56f48a", "a4ce27fccfeec856baac405feef97e27be56f48a"),
    "call_id": ("0a2759fd-45c0-457a-94d8-fe72115d2a8b", "0a2759fd-45c0-457a-94d8-fe72115d2a8b"),
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.values(), ids=TEXTS)
def test_a_text_shows_what_happened_and_to_nobody(text: str, shown: str) -> None:
    assert SCRUBBER.text(text) == shown


MADE: dict[str, Callable[[int], Any]] = {
    "pnc_id": lambda number: reserved.pnc_id(number, 2019),
    "cro": lambda number: reserved.cro(number, 2019),
    "vrm": reserved.vrm,
    "vin": lambda number: f"000METAB0CZ{900_000 + number:06d}",
    "arrest_summons_number": lambda number: reserved.arrest_summons_number(number, "01ZD", 2025),
    "custody_number": lambda number: reserved.custody_number(number, "01ZD", 2025),
    "court_case_reference": lambda number: reserved.court_case_reference(number, 2576, 2025),
    "pti_urn": lambda number: reserved.pti_urn(number, "01ZD", 2025),
    "cris_crime_reference": lambda number: reserved.crime_reference(number, 2025),
    "cad_number": lambda number: reserved.cad_number(number, AT.date()),
    "merlin_reference": lambda number: reserved.merlin_reference(number, "PAC", 2025),
    "uprn": reserved.uprn,
}
"""Identifiers by kind, in the ranges that nobody has."""


@pytest.mark.parametrize("kind", MADE)
def test_an_identifier_of_any_kind_is_masked(kind: str) -> None:
    for number in (1, 2, 500):
        value = str(MADE[kind](number))
        assert kind in kinds_in(f"seen: {value};".encode()), "otherwise the scan could find nothing either"
        assert kinds_in(SCRUBBER.text(f"seen: {value};").encode()) == frozenset()


def test_of_a_log_line_only_numbers_and_the_platforms_own_words_are_kept() -> None:
    said = {
        "at": "2026-11-26T04:27:53Z",
        "event": "operation",
        "ms": 29.7,
        "name": "pnx",
        "text": "Joe Bloggs",
        "key_path": "x",
        "token": "t",
    }
    (line,) = SCRUBBER.lines([json.dumps(said)])
    assert json.loads(line) == {**said, "text": MASK, "key_path": MASK, "token": LEFT_OUT}


def test_of_a_traceback_the_places_are_kept_and_what_was_said_is_not() -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "/srv/metip/a.py", line 3, in work',
        "    raise ValueError(name)",
        "ValueError: Joe Bloggs",
    ]
    assert list(SCRUBBER.lines(lines)) == [
        "Traceback (most recent call last):",
        '  File "<home>/a.py", line 3, in work',
        "    raise ValueError(name)",
        f"ValueError: {MASK}",
    ]


def test_what_is_quoted_in_free_text_is_masked() -> None:
    assert list(SCRUBBER.lines(["no such name: 'Joe Bloggs'"])) == [f"no such name: {MASK}"]


def test_keys_and_written_reasons_are_left_out_wherever_they_stand() -> None:
    found = SCRUBBER.document(
        {
            "tls": [{"private_key": {"inline_bytes": "AAAA"}, "name": "edge"}],
            "because": "Joe asked",
            "secret_name": "x",
            "weights": {"a": 1},
        }
    )
    assert found == {"tls": [{"private_key": LEFT_OUT, "name": "edge"}], "because": MASK, "secret_name": LEFT_OUT, "weights": {"a": 1}}


def test_a_bundle_is_the_same_for_the_same_parts_and_its_manifest_agrees(tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        bundle = Bundle(SCRUBBER, AT)
        bundle.add("one.json", {"b": 1, "a": reserved.vrm(3)})
        bundle.add_lines("logs/hub.log", ["hello"])
        bundle.leave_out("envoy", "ValueError: 'Joe'")
        (tmp_path / name).mkdir()
        digests.append(bundle.write(tmp_path / name / "case.tar.gz", bundle.manifest("0.1.0")))
    assert digests[0] == digests[1]
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress((tmp_path / "a/case.tar.gz").read_bytes()))) as archive:
        found = {one.name: archive.extractfile(one).read() for one in archive.getmembers()}  # type: ignore[union-attr]
    manifest = json.loads(found.pop("case/manifest.json"))
    assert manifest["left_out"] == {"envoy": f"ValueError: {MASK}"}
    assert [(one["name"], one["sha256"]) for one in manifest["files"]] == [
        (name.removeprefix("case/"), hashlib.sha256(content).hexdigest()) for name, content in sorted(found.items())
    ]
    assert json.loads(found["case/one.json"]) == {"a": MASK, "b": 1}


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "case.tar.gz").write_text("kept")
    with pytest.raises(Problem, match="is there already"):
        Bundle(SCRUBBER, AT).write(tmp_path / "case.tar.gz", {})
    done = CliRunner().invoke(main, ["doctor", "--to", str(tmp_path / "case.tar.gz"), "--home", str(tmp_path)])
    assert done.exit_code == 1
    assert "is there already" in done.stderr
    assert (tmp_path / "case.tar.gz").read_text() == "kept"


def test_the_end_of_a_long_log_is_taken_in_whole_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"line {number} {'x' * 2000}\n" for number in range(2000)))
    found = tail(tmp_path / "a.log")
    assert 0 < len(found) <= LINES
    assert found[-1].startswith("line 1999 ")
    assert all(line.startswith("line ") for line in found)


def test_the_machine_is_told_without_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2hunter2")
    told = json.dumps([machine((tmp_path,)), process(None), process(1), versions()], default=str)
    assert "hunter2" not in told
    assert "kernel" in told
    assert "RLIMIT_NOFILE" in told


def test_why_a_part_is_missing_is_said_in_a_few_words() -> None:
    assert why(Problem("the hub does not answer")) == "the hub does not answer"
    assert why(OSError(2, "No such file")) == "FileNotFoundError: [Errno 2] No such file"
