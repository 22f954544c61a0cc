"""The service of the comparator and `metip parity` as it is typed: what people see, what they decide, and that it is recorded first."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from click.testing import CliRunner
from command_line import Done, environment
from google.protobuf import text_format
from google.protobuf.message_factory import GetMessageClass
from people_pairs import INTERFACE, OPERATION, START, People, Population

from hub.api.actions import no_journal
from hub.api.parity import ParityApi
from hub.cli.parity import parity
from hub.parity import RECORDED, Comparator
from metip.faults import Fault, Reason
from metip.parity.v1 import parity_service_pb2 as api
from metip.parity.v1 import verdict_pb2
from metip.parity.v1.parity_service_pb2_grpc import ParityServiceStub, add_ParityServiceServicer_to_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
SETTINGS = """
trust_domain: metip.local
socket: s
state: state
access: access.yaml
edge: {port: 8443, json_port: 8444, certificate: a, key: a, authority: a, token_keys: a, token_issuer: a, token_audience: metip}
"""
NAME, PLACE = "nominals[].person.name.family_name", "nominals[].place_of_birth"


@dataclass
class Desk:
    """A home whose hub's socket serves a comparator."""

    folder: Path
    people: People
    comparator: Comparator
    stub: Any
    recorded: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False

    async def record(self, action: str, author: str, purpose: int, detail: str) -> None:
        """Notes an action, unless the journal is broken."""
        if self.broken:
            await no_journal(action, author, purpose, detail)
        self.recorded.append((action, author, detail))

    async def ask(self, rpc: str, request: Any, operator: str = "os://desk/alex") -> Any:
        return await getattr(self.stub, rpc)(request, metadata=[("x-metip-operator", operator)] if operator else [], timeout=20)

    async def refused(self, rpc: str, request: Any, operator: str = "os://desk/alex") -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(rpc, request, operator)
        return caught.value.code(), caught.value.details() or ""

    async def metip(self, *arguments: str) -> Done:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub.cli", "parity", *arguments),
            env=environment(self.folder),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())


def cut(message: Any, _dice: Any) -> None:
    message.nominals[0].person.name.family_name = message.nominals[0].person.name.family_name[:3]


def elsewhere(message: Any, _dice: Any) -> None:
    message.nominals[0].place_of_birth = "SOMEWHERE ELSE"


def session(message: Any, dice: Any) -> None:
    message.provenance.warnings[0].text = f"SESSION {dice.randint(1000, 9999)}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A thousand pairs of a replica, one in ten of them cut, and some that were recorded."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "hub.yaml").write_text(SETTINGS)
    people = People(folder)
    comparator = Comparator(people.contracts, folder / "parity.sqlite", clock=lambda: START + 60)
    population = Population(people, {"session": (1.0, session)}, {"cut": (0.1, cut)})
    for pair in population.pairs(1000):
        comparator.take(pair)
    for pair in replace(population, defects={"elsewhere": (1.0, elsewhere)}, origin=RECORDED).pairs(10):
        comparator.take(pair)
    server = grpc.aio.server()
    found = Desk(folder, people, comparator, None)
    add_ParityServiceServicer_to_server(ParityApi(comparator, found.record), server)
    server.add_insecure_port(f"unix:{folder / 's'}")
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{folder / 's'}") as channel:
        found.stub = ParityServiceStub(channel)
        yield found
    await server.stop(0)
    comparator.close()


async def test_a_report_begins_with_the_gravest(desk: Desk) -> None:
    report = (await desk.ask("GetReport", api.GetReportRequest(interface=INTERFACE))).report
    assert report.compared == 1010
    assert [one.operation for one in report.operations] == [OPERATION]
    assert (report.fields[0].field, report.fields[0].finding) == (NAME, verdict_pb2.FINDING_DIFFERENCE)
    assert report.fields[-1].finding == verdict_pb2.FINDING_NOISE
    assert report.parity == pytest.approx(1 - report.differing / report.compared)


async def test_what_was_never_compared_is_not_found(desk: Desk) -> None:
    code, text = await desk.refused("GetReport", api.GetReportRequest(interface="metip.other.v1"))
    assert (code, "nothing of metip.other.v1 was compared" in text) == (grpc.StatusCode.NOT_FOUND, True)
    code, text = await desk.refused("GetField", api.GetFieldRequest(operation=OPERATION, field="nothing"))
    assert (code, NAME in text) == (grpc.StatusCode.NOT_FOUND, True)
    code, _ = await desk.refused("GetReport", api.GetReportRequest(interface="'; DROP TABLE"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_decision_that_can_not_be_recorded_is_not_taken(desk: Desk) -> None:
    desk.broken = True
    request = api.AcceptDifferenceRequest(operation=OPERATION, field=NAME, because="it is better so")
    code, text = await desk.refused("AcceptDifference", request)
    desk.broken = False
    assert (code, "JOURNAL" in text) == (grpc.StatusCode.UNAVAILABLE, True)
    assert desk.comparator.acceptances == ()


async def test_a_decision_without_a_name_is_not_taken(desk: Desk) -> None:
    request = api.AcceptDifferenceRequest(operation=OPERATION, field=NAME, because="it is better so")
    for operator in ("", "alex", "os://desk/a b"):
        assert (await desk.refused("AcceptDifference", request, operator))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert desk.comparator.acceptances == ()


async def test_a_difference_is_accepted_recorded_listed_and_taken_back(desk: Desk) -> None:
    done = await desk.metip("accept", NAME, "--because", "CHG-17: names are cut now", "--json")
    assert done.code == 0, done.err
    number = done.json["number"]
    action, author, detail = desk.recorded[-1]
    assert (action, author.startswith("os://")) == ("parity/accept", True)
    assert detail == f"{OPERATION} {NAME} (CHANGED truncated): CHG-17: names are cut now"
    report = (await desk.ask("GetReport", api.GetReportRequest(interface=INTERFACE))).report
    assert {one.field: one.because for one in report.fields}[NAME] == "CHG-17: names are cut now"
    listed = await desk.metip("list")
    assert "CHG-17" in listed.out
    assert (await desk.metip("withdraw", str(number), "--because", "not after all")).code == 0
    assert desk.recorded[-1][0] == "parity/withdraw"
    assert "CHG-17" not in (await desk.metip("list")).out
    assert "withdrawn: not after all" in (await desk.metip("list", "--all")).out
    again = await desk.metip("withdraw", str(number), "--because", "not after all")
    assert (again.code, "in force" in again.err) == (1, True)


async def test_an_acceptance_of_the_past_is_refused(desk: Desk) -> None:
    done = await desk.metip("accept", NAME, "--because", "for a while", "--until", "2020-01-01")
    assert (done.code, "past" in done.err) == (1, True)


async def test_a_report_is_read_on_a_terminal(desk: Desk) -> None:
    done = await desk.metip("report", INTERFACE)
    assert done.code == 0, done.err
    assert done.out.startswith(f"The two platforms do not answer alike on {INTERFACE}: ")
    assert "truncated at 3" in done.out
    assert "provenance.warnings[].text" not in done.out
    assert "provenance.warnings[].text" in (await desk.metip("report", INTERFACE, "--all")).out
    assert (await desk.metip("report", INTERFACE, "--json")).json["fields"][0]["field"] == NAME


class Page(HTMLParser):
    """What a page would fetch or run, its headings, and whether its tags fit."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_a_page_stands_alone_and_says_the_verdict_first(desk: Desk, tmp_path: Path) -> None:
    done = await desk.metip("report", INTERFACE, "--html", str(tmp_path / "board.html"))
    assert done.code == 0, done.err
    text = (tmp_path / "board.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.fetched == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "url(" not in text
    assert ("lang", "en-GB") in page.attributes
    assert page.tags.count("h1") == 1
    assert page.tags.count("caption") == page.tags.count("table") == 2
    assert ("scope", "col") in page.attributes
    assert text.index("do not answer alike") < text.index("<table>") < text.index("What the findings mean")
    assert "SMITH" not in text


async def test_what_a_far_system_calls_itself_can_do_nothing_to_a_page() -> None:
    from hub.parity import reporting

    report = verdict_pb2.Report(interface="<script>x</script>", compared=1)
    report.fields.add(field="a<b>", hints=["\"'><img>"], finding=verdict_pb2.FINDING_NOISE)
    page = reporting.page(report)
    assert "<script>" not in page
    assert "<img>" not in page


async def test_a_field_is_shown_with_masked_examples(desk: Desk) -> None:
    done = await desk.metip("show", NAME)
    assert done.code == 0, done.err
    for words in ("Finding: differs", "Looks like: truncated at 3", "text of 3, other from the 4th character", "REPLICA", "call-"):
        assert words in done.out, done.out
    assert "SMITH" not in done.out
    document = (await desk.metip("show", NAME, "--operation", "SearchPeople", "--json")).json
    assert document["verdict"]["finding"] == "FINDING_DIFFERENCE"
    unknown = await desk.metip("show", "nothing.like.it")
    assert (unknown.code, "`metip parity list`" in unknown.err) == (1, True)


async def test_a_case_is_made_of_a_replica_and_is_well_written(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "search_people_cut.txtpb"
    done = await desk.metip("case", NAME, "--out", str(path))
    assert done.code == 0, done.err
    kind = GetMessageClass(desk.people.pool.FindMessageTypeByName("metip.cases.v1.Case"))
    case: Any = text_format.Parse(path.read_text(encoding="utf-8"), kind(), descriptor_pool=desk.people.pool)
    assert (case.operation, len(case.answered.replies)) == (OPERATION, 1)
    assert desk.people.request.FromString(case.request.value).family_name == "SMITH"
    assert "as_of" not in path.read_text(encoding="utf-8")
    assert desk.recorded[-1][0] == "parity/case"
    assert (await desk.metip("case", NAME, "--out", str(path))).code == 1, "what is there is not overwritten"


async def test_no_case_is_made_of_live_people(desk: Desk, tmp_path: Path) -> None:
    done = await desk.metip("case", PLACE, "--out", str(tmp_path / "case.txtpb"))
    assert done.code == 1
    assert "made-up people only: the pairs that differed are RECORDED, not of a replica" in done.err
    assert not (tmp_path / "case.txtpb").exists()


async def test_no_case_is_made_when_it_can_not_be_recorded(desk: Desk, tmp_path: Path) -> None:
    desk.broken = True
    done = await desk.metip("case", NAME, "--out", str(tmp_path / "case.txtpb"))
    desk.broken = False
    assert (done.code, "JOURNAL" in done.err) == (1, True)
    assert not (tmp_path / "case.txtpb").exists()


@pytest.mark.parametrize("command", ["report", "show", "accept", "withdraw", "list", "case"])
async def test_help_has_examples(command: str) -> None:
    done = CliRunner().invoke(parity, [command, "--help"])
    assert done.exit_code == 0
    assert f"metip parity {command}" in done.output.partition("Examples:")[2]


async def test_the_recorder_of_a_hub_without_journal_refuses() -> None:
    with pytest.raises(Fault) as caught:
        await no_journal("parity/accept", "os://desk/alex", 1, "why")
    assert caught.value.reason is Reason.JOURNAL
