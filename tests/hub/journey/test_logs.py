"""Reading logs: by halving, across rotation, and whatever lies between the lines."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journeys import MESSAGE, NOW, PART, TABLET, WORK, call_id

from hub.journey import logs
from hub.journey.logs import LogFiles
from hub.journey.reading import AdapterLogs, EnvoyLog
from hub.mesh.edge_causes import reason_of
from metip.tracing import trace_id_of

HUB = "spiffe://metip.local/hub"
START = datetime.fromtimestamp(NOW, UTC)


def written(at: float, word: str, **more: Any) -> str:
    return json.dumps({"at": (START + timedelta(seconds=at)).isoformat(timespec="milliseconds"), "word": word, **more}) + "\n"


def words(found: Any) -> list[str]:
    return [json.loads(line)["word"] for line in found]


@given(st.lists(st.integers(0, 50), max_size=60).map(sorted), st.integers(0, 50), st.integers(0, 50))
def test_what_was_written_in_a_time_is_what_a_look_at_every_line_finds(
    tmp_path_factory: pytest.TempPathFactory, moments: list[int], since: int, before: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    path.write_text("".join(written(at, f"w{place}-{'x' if place % 3 else 'y'}") for place, at in enumerate(moments)))
    found = words(LogFiles(path).holding(["-x"], since=NOW + since, before=NOW + before))
    assert found == [f"w{place}-x" for place, at in enumerate(moments) if place % 3 and since <= at < before]


def test_a_log_is_read_on_in_what_it_was_rotated_to_and_what_is_no_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    (tmp_path / "a.log.2").write_text(written(0, "oldest") + "\x00\xff\n" * 3)
    (tmp_path / "a.log.1").write_text("nonsense\n" + written(10, "older"))
    (tmp_path / "a.log.3.gz").write_bytes(b"\x1f\x8bnot read")
    path.write_text(written(20, "new") + "{}\n" + written(21, "newer") + '{"word": "half a line')
    log = LogFiles(path)
    assert words(log.holding(["old", "new", "half"])) == ["new", "newer", "older", "oldest"]
    assert words(log.holding(["old", "new"], since=NOW + 5, before=NOW + 21)) == ["new", "older"]
    assert words(log.holding(["new"], most=1)) == ["new"]
    assert list(log.holding([])) == list(log.holding([""])) == []
    assert log.since() == NOW


def test_a_log_that_is_not_there_or_empty_reaches_nowhere(tmp_path: Path) -> None:
    assert LogFiles(tmp_path / "a.log").since() == 0.0
    (tmp_path / "a.log").touch()
    assert list(LogFiles(tmp_path / "a.log").holding(["x"])) == []
    assert EnvoyLog(tmp_path / "a.log", HUB, WORK, reason_of).reach().problem == "is empty"
    assert EnvoyLog(None, HUB, WORK, reason_of).reach().problem == "is not kept here"
    assert AdapterLogs(tmp_path / "nowhere", HUB).reach().problem == "is not kept here"


def test_without_a_time_only_the_end_of_a_log_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(written(at, f"w{at}") for at in range(100)))
    monkeypatch.setattr(logs, "TAIL", 2000)
    found = words(LogFiles(path).holding(["w"]))
    assert 10 < len(found) < 50
    assert found[-1] == "w99"


def test_lines_that_lie_across_what_is_read_at_once_are_found_whole_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(written(at, f"w{at}", filled="x" * (at * 7 % 50)) for at in range(60)))
    for size in (1, 13, 64, 100, 1000):
        monkeypatch.setattr(logs, "AT_ONCE", size)
        assert words(LogFiles(path).holding(['"w1', '"w11"'])) == ["w1", *(f"w{at}" for at in range(10, 20))]


CALL = call_id(1)
LINE = {"kind": "call", "details": "via_upstream", "grpc_status": 0, "http_status": 200, "consumer": TABLET, "path": f"/{PART}", "ms": 7,
        "cluster": "metip.two.v1.PartService", "upstream": "/run/two.sock", "upstream_sent": 9, "call_id": CALL}  # fmt: skip
READ: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "answered": ({}, {"answered": True, "outcome": "OK", "system": "two", "consumer": TABLET, "trace": trace_id_of(CALL)}),
    "refused by the adapter": ({"grpc_status": 5}, {"answered": True, "outcome": "NOT_FOUND"}),
    "refused by Envoy": (
        {"details": "rbac_access_denied_matched_policy[none]", "upstream_sent": 0, "grpc_status": 7},
        {"sent": False, "outcome": "NOT_GRANTED"},
    ),
    "lost on the way": ({"details": "upstream_reset", "grpc_status": 14}, {"answered": False, "sent": True, "outcome": "UNAVAILABLE"}),
    "another system behind it": ({"cluster": "six/metip.two.v1.PartService"}, {"system": "six"}),
    "made by a call": ({"parent": call_id(2)}, {"parent": call_id(2)}),
    "made by somebody's words": ({"parent": "Mr Smith"}, {"parent": ""}),
    "compared": ({"consumer": HUB, "cluster": "six/x"}, {"comparing": True, "message_id": ""}),
    "handed over": (
        {"consumer": HUB, "path": f"/{MESSAGE}", "cluster": "four/x", "message_id": call_id(3), "attempt": "2"},
        {"comparing": False, "message_id": call_id(3), "attempt": 2, "system": "four"},
    ),
    "accepted": (
        {"path": f"/{MESSAGE}", "cluster": "metip.three.v1.NoteService", "message_id": call_id(3)},
        {"system": "exchange", "message_id": ""},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_line_of_envoy_s_is_read_for_what_it_says(tmp_path: Path, name: str) -> None:
    more, expected = READ[name]
    (tmp_path / "a.log").write_text(written(0, "", **LINE | more))
    (found,) = EnvoyLog(tmp_path / "a.log", HUB, WORK, reason_of).passed([CALL], 0.0, 0.0)
    assert {key: getattr(found, key) for key in expected} == expected


def test_an_adapter_s_lines_are_those_of_the_calls_and_nothing_else_of_its_log(tmp_path: Path) -> None:
    said = {"event": "operation", "system": "two", "operation": PART, "outcome": "OK", "ms": 3.5, "call_id": CALL, "consumer": TABLET}
    lines = [
        written(1, "", **said),
        written(2, "", **said, far_ms=2.25),
        written(3, "", **said | {"event": "in_doubt"}),
        written(4, "", **said | {"call_id": call_id(9)}),
        written(5, "", **{key: value for key, value in said.items() if key != "system"}),
        written(6, "", **said | {"ms": "much"}),
        f'["{CALL}"]\n',
    ]
    (tmp_path / "two.log").write_text("".join(lines))
    (tmp_path / "access.log").write_text(lines[0])
    found = AdapterLogs(tmp_path, HUB, ["access.log"]).noted([CALL], NOW, NOW)
    assert [(one.at - NOW, one.far_ms) for one in found] == [(1.0, None), (2.0, 2.25)]
    assert AdapterLogs(tmp_path, HUB).noted([], NOW, NOW) == []
