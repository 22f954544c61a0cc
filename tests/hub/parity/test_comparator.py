"""The comparator as a whole: what it counts, keeps, forgets and never lets out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from parity_contract import Contract
from people_pairs import OPERATION, START, People, Population

from hub.parity import RECORDED, Answer, Comparator, Finding, Pair, ParityStoreError
from hub.parity.acceptances import Acceptance
from hub.parity.store import DAY, EXAMPLES, MINUTE

GET = "metip.example.v1.ExampleService/GetExample"
INTERFACE = "metip.example.v1.ExampleService"
NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return Contract(tmp_path_factory.mktemp("contract"))


class Desk:
    """A comparator with its clock."""

    def __init__(self, contract: Contract, path: Path | None = None) -> None:
        self.contract, self.path, self.now = contract, path, NOW
        self.comparator = Comparator(contract.contracts, path, clock=lambda: self.now)
        self.count = 0

    def take(self, times: int = 1, *, again: bool = False, at: float | None = None, noise: bool = False, **shadow: Any) -> None:
        """Takes pairs whose shadow has other values; with `noise` the second answer has them too."""
        one, other = self.made(), self.made(**shadow)
        for _ in range(times):
            self.count += 1
            second = other if noise else one
            self.comparator.take(
                Pair(
                    GET,
                    f"call-{self.count}",
                    self.now if at is None else at,
                    b"",
                    Answer("old", "METIP", reply=one, seconds=0.05),
                    Answer("new", "METIP2", reply=other, seconds=0.02),
                    Answer("old", "METIP", reply=second) if again or noise else None,
                )
            )

    def made(self, **values: Any) -> bytes:
        """A reply with a text, a number and further values."""
        message = self.contract.made()
        for name, value in {"text": "some text", "number": 7, **values}.items():
            setattr(message, name, value)
        found: bytes = message.SerializeToString()
        return found

    def reopened(self) -> "Desk":
        """The same figures, read from their file."""
        self.comparator.close()
        found = Desk(self.contract, self.path)
        found.now, found.count = self.now, self.count
        return found


@pytest.fixture
def desk(contract: Contract, tmp_path: Path) -> Any:
    made = Desk(contract, tmp_path / "parity.sqlite")
    yield made
    made.comparator.close()


def test_figures_say_how_many_agree(desk: Desk) -> None:
    desk.take(90, again=True)
    desk.take(10, text="some")
    found = desk.comparator.evidence(INTERFACE)
    assert (found.compared, found.differing, found.parity) == (100, 10, 0.9)
    assert found.lower == pytest.approx(0.8256, abs=1e-3)
    assert (round(found.primary_p99_ms / 50, 1), round(found.shadow_p99_ms / 20, 1)) == (1.0, 1.0)
    (field,) = found.fields
    assert (field.field, field.kinds, field.differing, field.hints) == ("text", {"CHANGED": 10}, 10, ("truncated at 4",))
    assert (field.first_seen, field.last_seen) == (NOW, NOW)
    assert desk.comparator.evidence("metip.example.v1").compared == 100
    assert desk.comparator.evidence("metip.exam").compared == 0
    assert desk.comparator.evidence("metip.other.v1") == replace(
        desk.comparator.evidence("metip.example.v1.Example"), interface="metip.other.v1"
    )


def test_pairs_that_differ_in_noise_only_agree(desk: Desk) -> None:
    desk.take(100, noise=True, number=8)
    desk.take(5, number=8, flag=True)
    found = desk.comparator.evidence(INTERFACE)
    verdicts = {one.field: one.finding for one in found.fields}
    assert verdicts["number"] is Finding.NOISE
    assert verdicts["flag"] is Finding.UNPROVED or verdicts["flag"] is Finding.FINDING
    assert found.differing == 5


def test_errors_are_counted_by_side_and_no_trace_is_none(desk: Desk) -> None:
    fine = Answer("old", "METIP", reply=desk.made())
    for other in (Answer("new", "METIP2", 14, "UPSTREAM_UNAVAILABLE"), Answer("new", "METIP2", 5, "NO_TRACE")):
        desk.comparator.take(Pair(GET, "call", NOW, b"", fine, other))
    found = desk.comparator.evidence(INTERFACE)
    assert (found.primary_errors, found.shadow_errors, found.differing) == (0, 1, 2)
    assert found.fields[0].field == "(status)"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pair: replace(pair, operation="metip.example.v1.ExampleService/Nothing"),
        lambda pair: replace(pair, primary=None),
        lambda pair: replace(pair, at="yesterday"),
        lambda pair: replace(pair, shadow=Answer("new", "METIP2", reply="text")),  # type: ignore[arg-type]
    ],
    ids=["unknown operation", "no answer", "no time", "no bytes"],
)
def test_whatever_it_is_given_it_raises_nothing_and_counts_it(desk: Desk, spoil: Callable[[Pair], Pair]) -> None:
    pair = Pair(GET, "call", NOW, b"", Answer("old", "METIP", reply=desk.made()), Answer("new", "METIP2", reply=desk.made(text="b")))
    desk.comparator.take(spoil(pair))
    assert sum(desk.comparator.failed.values()) == 1
    desk.take(1)
    assert desk.comparator.evidence(INTERFACE).compared == 1


def test_an_instant_outside_all_years_is_a_difference_and_no_failure(desk: Desk) -> None:
    message = desk.contract.made()
    message.at.nanos = 2_000_000_000
    pair = Pair(
        GET, "call", NOW, b"", Answer("old", "METIP", reply=desk.made()), Answer("new", "METIP2", reply=message.SerializeToString())
    )
    desk.comparator.take(pair)
    assert not desk.comparator.failed
    assert "at" in {one.field for one in desk.comparator.evidence(INTERFACE).fields}


def test_figures_are_there_after_a_restart(desk: Desk) -> None:
    desk.take(50, again=True)
    desk.take(20, text="some")
    desk.take(100, noise=True, number=8)
    before = desk.comparator.evidence(INTERFACE)
    after = desk.reopened()
    assert after.comparator.evidence(INTERFACE) == before
    after.take(10, text="some")
    assert after.comparator.evidence(INTERFACE).differing == before.differing + 10
    after.comparator.close()


def test_evidence_since_an_instant_leaves_out_what_was_before(desk: Desk) -> None:
    desk.take(30, text="some", at=NOW - 100)
    desk.take(10, at=NOW - 10)
    assert desk.comparator.evidence(INTERFACE, NOW - 50).compared == 10
    assert desk.comparator.evidence(INTERFACE, NOW - 50).differing == 0
    desk.take(5, text="some")
    assert desk.comparator.evidence(INTERFACE, NOW - 50).compared == 15, "a window that is watched goes on"
    again = desk.reopened()
    assert again.comparator.evidence(INTERFACE, NOW - 50).differing == 5
    assert again.comparator.evidence(INTERFACE, NOW - 200).compared == 45
    again.comparator.close()


def test_figures_of_long_ago_are_coarser_and_add_up_to_the_same(desk: Desk) -> None:
    for age in (1, 300, 3 * DAY, 90 * DAY):
        desk.take(10, text="some", at=NOW - age)
    desk.comparator.compact()
    before = desk.comparator.evidence(INTERFACE)
    desk.now += 3 * DAY
    desk.comparator.compact()
    again = desk.reopened()
    assert again.comparator.evidence(INTERFACE).compared == before.compared == 40
    rows = set(apsw.Connection(str(desk.path)).execute("SELECT width FROM figures"))
    assert {width for (width,) in rows} == {3600, DAY}
    assert again.comparator.evidence(INTERFACE, NOW - 10 * MINUTE).compared <= 20
    again.now += 900 * DAY
    again.comparator.compact()
    assert apsw.Connection(str(desk.path)).execute("SELECT count(*) FROM figures, examples").fetchone() == (0,)
    again.comparator.close()


def test_examples_of_one_look_are_few_and_have_the_first_and_the_latest(desk: Desk) -> None:
    for number in range(40):
        desk.take(1, text="some", at=NOW + number * 2)
    shown = desk.comparator.show(GET, "text")
    calls = [one.call_id for _, one in shown.examples]
    assert len(calls) == EXAMPLES
    assert {"call-1", "call-2", "call-3", "call-40"} <= set(calls)
    assert shown.examples[0][1].before == "some text"
    assert shown.days == {int(NOW) // DAY * DAY: (40, 40)}


def test_what_is_personal_is_in_no_file(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    people = People(tmp_path_factory.mktemp("people"))
    comparator = Comparator(people.contracts, tmp_path / "parity.sqlite", clock=lambda: START)

    def other(message: Any, _dice: Any) -> None:
        person = message.nominals[0].person
        person.name.family_name = "WETHERBYSECRET"
        person.pnc_id.value = "1999/7777777Q"
        message.nominals.add().person.name.family_name = "ADDEDSECRET"
        message.nominals[0].circulations[0].text = "SECRETTEXT"
        message.nominals[0].person.date_of_birth.year = 1901

    for pair in Population(people, {}, {"other": (1.0, other)}).pairs(50):
        comparator.take(pair)
    assert comparator.evidence(OPERATION).differing == 50
    comparator.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (b"SECRET", b"7777777", b"1901", b"SMITH", b"CROYDON"):
        assert secret not in written, secret


def test_an_acceptance_covers_what_was_seen_and_no_other_difference_of_the_field(desk: Desk) -> None:
    desk.take(50, again=True)
    desk.take(50, text="some")
    accepted = desk.comparator.accept(_acceptance(desk, until=NOW + 100))
    found = desk.comparator.evidence(INTERFACE)
    assert (found.differing, found.fields[0].finding, found.fields[0].because) == (0, Finding.ACCEPTED, "it is better so")
    desk.take(50, text="SOME TEXT")
    found = desk.comparator.evidence(INTERFACE)
    assert (found.differing, found.fields[0].finding) == (50, Finding.FINDING)
    desk.comparator.withdraw(accepted.number, "os://desk/alex", "it is not")
    assert desk.comparator.evidence(INTERFACE).differing == 100
    desk.comparator.accept(_acceptance(desk, until=NOW + 100))
    assert desk.comparator.evidence(INTERFACE).differing == 0
    again = desk.reopened()
    assert again.comparator.evidence(INTERFACE).differing == 0
    again.now += 200
    assert again.comparator.evidence(INTERFACE).differing == 100, "it is over"
    with pytest.raises(KeyError):
        again.comparator.withdraw(accepted.number, "os://desk/alex", "it was withdrawn already")
    again.comparator.close()


def _acceptance(desk: Desk, until: float = 0.0) -> Acceptance:
    looks = desk.comparator.looks(GET, "text")
    return Acceptance(0, GET, "text", looks, "it is better so", "os://desk/alex", desk.now, until)


def test_of_a_recorded_answer_a_clock_says_nothing(desk: Desk) -> None:
    one, other = desk.contract.made(), desk.contract.made()
    one.clock.seconds, other.clock.seconds = 10, 3610
    pair = Pair(
        GET,
        "call",
        NOW,
        b"",
        Answer("old", "METIP", reply=one.SerializeToString()),
        Answer("new", "METIP2", reply=other.SerializeToString()),
    )
    desk.comparator.take(replace(pair, origin=RECORDED))
    assert desk.comparator.evidence(INTERFACE).differing == 0
    desk.comparator.take(pair)
    assert desk.comparator.evidence(INTERFACE).differing == 1


def test_a_flood_of_different_differences_is_counted_in_bounded_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.parity.tallying.MOST_SIGNALS", 12)
    monkeypatch.setattr("hub.parity.tallying.MOST_PATTERNS", 4)
    kind = desk.contract.kind("GetExampleResponse")
    one = Answer("old", "METIP", reply=desk.made())
    for number in range(200):
        tag = (number + 1000) << 3
        field = bytes([tag & 127 | 128, tag >> 7 & 127, 1])
        other = kind.FromString(desk.made(text="some" if number % 2 else "other", flag=bool(number % 3)) + field)
        desk.comparator.take(Pair(GET, "call", NOW, b"", one, Answer("new", "METIP2", reply=other.SerializeToString())))
    found = desk.comparator.evidence(INTERFACE)
    assert not desk.comparator.failed
    assert found.differing == found.compared == 200
    assert "(others)" in {field.field for field in found.fields}
    assert len(found.fields) < 15


def test_figures_that_can_not_be_written_are_written_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise ParityStoreError("the disk is full")

    desk.take(10, text="some")
    with monkeypatch.context() as patch:
        patch.setattr(desk.comparator._store, "write", full)
        desk.comparator.flush()
    assert desk.comparator.failed["ParityStoreError"] == 1
    desk.take(10, text="some")
    again = desk.reopened()
    assert again.comparator.evidence(INTERFACE).differing == 20
    assert again.comparator.show(GET, "text").examples
    again.comparator.close()


def test_a_file_that_is_none_is_refused_by_name(contract: Contract, tmp_path: Path) -> None:
    (tmp_path / "parity.sqlite").write_bytes(b"this is no database, and it is long enough to be looked at" * 20)
    with pytest.raises(ParityStoreError, match="can't be opened"):
        Comparator(contract.contracts, tmp_path / "parity.sqlite")


def test_without_second_answers_a_damage_of_one_direction_is_proved_and_a_clock_is_not(desk: Desk) -> None:
    desk.take(2000)
    desk.take(30, text="some")
    desk.take(30, number=8)
    found = {one.field: one.finding for one in desk.comparator.evidence(INTERFACE).fields}
    assert found == {"text": Finding.FINDING, "number": Finding.UNPROVED}
    assert desk.comparator.evidence(INTERFACE).differing == 60, "what is not proved counts"


def test_the_last_minutes_are_looked_at_without_the_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> Any:
        raise AssertionError("the file was read")

    monkeypatch.setattr(desk.comparator._store, "since", nothing)
    for second in range(1, 1000):
        desk.now = NOW + second
        desk.take(1, text="some" if second > 900 else "some text")
        if second % 100 == 0:
            desk.comparator.flush()
    assert desk.comparator.evidence(INTERFACE, desk.now - 9).compared == 10
    assert desk.comparator.evidence(INTERFACE, desk.now - 400).compared == 401
    assert desk.comparator.evidence(INTERFACE, desk.now - 400).differing == 99
    monkeypatch.undo()
    assert desk.comparator.evidence(INTERFACE, desk.now - 900).compared == 901
