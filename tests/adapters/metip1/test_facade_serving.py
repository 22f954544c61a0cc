"""The SOAP façade at its door: a real client from its description, who is let in, what reaches Envoy, and every way to be refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import pytest_asyncio
import zeep
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hostile_certificates import CERTIFICATES, Ground, hostile_certificate
from waiting import until

from adapters.metip1.services import SERVICES
from hub.identity import issue
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.pole_pb2 import PersonName
from metip.faults import Fault, Reason, status_of
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION
from metip.pnc.v1.case_update_service_pb2 import RecordRemandResponse
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, GetPersonResponse, SearchPersonsRequest, SearchPersonsResponse
from tests.adapters.metip1.facade_rig import BY_NAME, CONSUMER, TOKEN, Answered, Rig, document, running_facade

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = BY_NAME["GetName"]
ASKED = {"PNCID": "87/8G"}
NAMED = GetPersonResponse()
NAMED.nominal.person.name.CopyFrom(PersonName(family_name="Testcase", given_names=["Ann", "Mary"]))
NAMED.nominal.person.pnc_id.value = "1987/0000008G"
SECRET = "TESTCASE"
"""Stands for a person in requests; no log line and no fault may ever repeat it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A façade for all tests that leave it as it is."""
    async with running_facade(tmp_path_factory.mktemp("facade"), largest_request=40_000) as running:
        yield running


@pytest.fixture(autouse=True)
def _answers(door: Rig) -> None:
    door.edge.answer = NAMED
    door.edge.seen.clear()


# A real client


async def test_zeep_calls_from_the_description_and_reads_the_answer(door: Rig) -> None:
    service = await door.zeep(GET.service.path)
    context = {"context": {"Purpose": "04", "Reference": "1234/23NOV26", "Justification": "A test of the way"}}
    said = await asyncio.to_thread(lambda: service.GetName(PNCID="87/8G", _soapheaders=context))
    assert (said.Nominal.Person.PNCID, said.Nominal.Person.Name.Surname, said.Nominal.Person.Name.Forename) == (
        "1987/0000008G",
        "TESTCASE",
        ["ANN", "MARY"],
    )
    request = GetPersonRequest.FromString(door.edge.seen[0].request)
    assert request.pnc_id.value == "1987/0000008G"
    access = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, reference="1234/23NOV26", justification="A test of the way")
    assert request.access == access


async def test_zeep_is_told_faults(door: Rig) -> None:
    door.edge.answer = _refusing(Fault(Reason.NO_TRACE, "nothing is known by that number"))
    service = await door.zeep(GET.service.path)
    with pytest.raises(zeep.exceptions.Fault) as told:
        await asyncio.to_thread(lambda: service.GetName(PNCID="87/8G"))
    assert (told.value.code, told.value.message) == ("soap:Client", "NO_TRACE: nothing is known by that number")


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.name)
async def test_every_service_describes_itself_under_its_own_address(door: Rig, service: Any) -> None:
    answered = await door.send(f"{service.path}?WSDL")
    assert answered.status == 200
    assert answered.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert f'location="{door.address}{service.path}"'.encode() in answered.body


async def test_the_description_names_the_public_address_and_never_the_callers_word_for_it(tmp_path: Path) -> None:
    async with running_facade(tmp_path, public_address="https://soap.example:8445") as door:
        answered = await door.send(f"{GET.service.path}?wsdl", headers={"Host": "evil.example"})
    assert b'location="https://soap.example:8445/MetIP/services/PNCEnquiry"' in answered.body
    assert b"evil" not in answered.body


# What reaches Envoy


async def test_envoy_sees_the_consumer_itself_the_officers_token_and_the_trace(door: Rig) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answered = await door.call(GET, ASKED, {"traceparent": trace})
    seen = door.edge.seen[0]
    assert (seen.peer, seen.path) == (CONSUMER, "/metip.pnc.v1.PersonEnquiryService/GetPerson")
    assert (seen.metadata["authorization"], seen.metadata["traceparent"]) == (f"Bearer {TOKEN}", trace)
    assert answered.headers["x-request-id"] == "call-7"
    line = json.loads(door.lines().splitlines()[-1])
    assert {key: line[key] for key in ("event", "service", "operation", "outcome", "call_id", "consumer")} == {
        "event": "soap_call",
        "service": "PNCEnquiry",
        "operation": GET.contract,
        "outcome": "OK",
        "call_id": "call-7",
        "consumer": CONSUMER,
    }


async def test_headers_by_which_a_consumer_could_pretend_are_not_passed_on(door: Rig) -> None:
    forged = {"X-Forwarded-Client-Cert": "URI=spiffe://metip.local/edge", "X-MetIP-Officer": "e30", "Authorization": "Bearer x.y.z"}
    await door.call(GET, ASKED, {**forged, "traceparent": "not-a-trace"})
    metadata = door.edge.seen[0].metadata
    assert not {"x-forwarded-client-cert", "x-metip-officer", "traceparent"} & metadata.keys()
    assert metadata["authorization"] == f"Bearer {TOKEN}"


async def test_the_contracts_time_limit_bounds_a_call_and_the_consumers_own_is_passed_on(door: Rig) -> None:
    await door.call(GET, ASKED)
    await door.call(GET, ASKED, {"Request-Timeout": "2.5"})
    await door.call(GET, ASKED, {"Request-Timeout": "900"})
    plain, short, long = (one.remaining for one in door.edge.seen)
    # gRPC rounds a time limit up on its way, by a hundredth and more
    assert 5 < plain < 10.5
    assert 0 < short < 3
    assert 5 < long < 10.5


async def test_time_that_runs_out_is_a_server_fault(door: Rig) -> None:
    door.edge.answer = None
    answered = await door.call(GET, ASKED, {"Request-Timeout": "0.3"})
    assert (answered.status, answered.fault.code, answered.fault.detail["Reason"]) == (500, "Server", "TIMED_OUT")
    assert (await door.call(GET, ASKED, {"Request-Timeout": "0"})).fault.detail["Reason"] == "TIMED_OUT"
    assert len(door.edge.seen) == 1


async def test_a_write_of_which_nobody_knows_is_in_doubt_and_never_the_servers_to_repeat(door: Rig) -> None:
    door.edge.answer = None
    remand = BY_NAME["UpdateRemand"]
    assert remand.write_once
    answered = await door.call(remand, {}, {"Request-Timeout": "0.3"})
    assert (answered.fault.code, answered.fault.detail["Code"], answered.fault.detail["Reason"]) == ("Client", "MB1205", "IN_DOUBT")
    door.edge.answer = RecordRemandResponse()
    assert (await door.call(remand, {})).status == 200


async def test_an_answer_of_which_the_old_interface_has_no_word_says_so_without_it(door: Rig) -> None:
    odd = SearchPersonsResponse()
    odd.nominals.add().person.name.family_name = "\x07bell"
    door.edge.answer = odd
    answered = await door.call(BY_NAME["FindNames"], {"Surname": SECRET})
    assert answered.fault.code == "Server"
    assert b"bell" not in answered.body
    assert SearchPersonsRequest.FromString(door.edge.seen[0].request).family_name == SECRET


# What Envoy and adapters refuse


async def test_a_refusal_is_told_with_the_old_code_our_reason_advice_fields_and_call_id(door: Rig) -> None:
    fault = Fault(Reason.INVALID_REQUEST, "the request breaks rules", fields=(("pnc_id", "is no PNC id"), ("access.purpose", "is needed")))
    door.edge.answer = _refusing(fault)
    answered = await door.call(GET, ASKED)
    assert answered.status == 500
    assert answered.fault.code == "Client"
    assert answered.fault.words == "INVALID_REQUEST: the request breaks rules"
    assert answered.fault.detail == {
        "Code": "MB1001",
        "Transaction": "call-8",
        "Reason": "INVALID_REQUEST",
        "Advice": Reason.INVALID_REQUEST.advice,
        "Fields": "pnc_id: is no PNC id; access.purpose: is needed",
    }
    assert json.loads(door.lines().splitlines()[-1])["outcome"] == "INVALID_REQUEST"


@pytest.mark.parametrize("reason", [*Reason], ids=lambda one: one.name)
async def test_every_reason_has_a_code_of_the_old_bus_and_says_whether_to_come_again(door: Rig, reason: Reason) -> None:
    door.edge.answer = _refusing(Fault(reason, "a text"))
    fault = (await door.call(GET, ASKED)).fault
    again = ("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "ABORTED", "INTERNAL")
    later = reason.status.name in again and reason is not Reason.TOO_LARGE
    assert (fault.code, fault.detail["Reason"]) == ("Server" if later else "Client", reason.name)
    assert fault.detail["Code"].startswith("MB")


EDGES = {
    "NOT_GRANTED": (grpc.StatusCode.PERMISSION_DENIED, "MB1105", "Client"),
    "TOKEN_EXPIRED": (grpc.StatusCode.UNAUTHENTICATED, "MB1106", "Client"),
    "TOO_MANY_CALLS": (grpc.StatusCode.RESOURCE_EXHAUSTED, "MB2003", "Server"),
    "SOMETHING_NEW": (grpc.StatusCode.PERMISSION_DENIED, "MB9999", "Client"),
}


@pytest.mark.parametrize("reason", EDGES)
async def test_what_envoy_alone_refuses_keeps_its_reason(door: Rig, reason: str) -> None:
    status, code, soap = EDGES[reason]
    door.edge.answer = _edge_refusing(status, reason)
    fault = (await door.call(GET, ASKED)).fault
    assert (fault.code, fault.detail["Code"], fault.detail["Reason"]) == (soap, code, reason)
    assert fault.detail["RetrySeconds"] == "1"


async def test_an_error_without_details_is_internal_without_its_words(door: Rig) -> None:
    async def answer(context: Any) -> None:
        await context.abort(grpc.StatusCode.UNKNOWN, f"about {SECRET}")

    door.edge.answer = answer
    answered = await door.call(GET, ASKED)
    assert (answered.fault.code, answered.fault.detail["Reason"]) == ("Server", "INTERNAL")
    assert SECRET.encode() not in answered.body


async def test_an_envoy_that_is_away_is_a_server_fault(tmp_path: Path) -> None:
    async with running_facade(tmp_path, edge="127.0.0.1:1") as door:
        fault = (await door.call(GET, ASKED)).fault
    assert (fault.code, fault.detail["Reason"], fault.detail["Code"]) == ("Server", "UPSTREAM_UNAVAILABLE", "MB2001")


async def test_an_error_that_nobody_foresaw_is_internal_and_leaves_no_words(door: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"about {SECRET}")

    monkeypatch.setattr(door.facade.calls, "ask", broken)
    answered = await door.call(GET, ASKED)
    assert (answered.fault.code, answered.fault.detail["Reason"]) == ("Server", "INTERNAL")
    assert SECRET.encode() not in answered.body
    told = door.lines().splitlines()[-2]
    assert '"event":"unexpected_error"' in told
    assert SECRET not in door.lines()
    assert "Traceback" not in door.lines()


# Who is let in


async def test_without_a_certificate_there_is_no_connection(door: Rig) -> None:
    with pytest.raises((aiohttp.ClientError, OSError)):
        await door.call(GET, ASKED, tls=door.client(None))
    assert door.edge.seen == []


async def test_a_consumer_without_a_mapping_is_refused_and_learns_nothing_else(door: Rig) -> None:
    for answered in (
        await door.call(GET, ASKED, tls=door.client("stranger")),
        await door.send(f"{GET.service.path}?wsdl", tls=door.client("stranger")),
        await door.send("/nowhere", tls=door.client("stranger")),
    ):
        assert (answered.status, answered.fault.detail["Reason"], answered.fault.detail["Code"]) == (403, "CONSUMER_UNKNOWN", "MB1107")
    assert door.edge.seen == []


@pytest.mark.parametrize("case", CERTIFICATES)
async def test_a_hostile_certificate_is_refused(door: Rig, case: str, tmp_path: Path) -> None:
    made = hostile_certificate(case, Ground(door.store.authority(), CONSUMER, datetime.now(UTC)))
    try:
        answered = await door.call(GET, ASKED, tls=door.client(files=made.write(tmp_path / "hostile")))
    except (aiohttp.ClientError, OSError):
        pass
    else:
        assert answered.status == 403
    assert door.edge.seen == []


async def test_a_new_certificate_of_the_door_is_shown_without_a_restart(tmp_path: Path) -> None:
    async with running_facade(tmp_path) as door:
        before = await _serial(door)
        issue(door.store, "spiffe://metip.local/facade", name="facade", dns=("localhost",), addresses=("127.0.0.1",))
        await door.call(GET, ASKED)
        assert await _serial(door) != before


# Requests that are none


async def test_only_soap_in_utf_8_is_read(door: Rig) -> None:
    for kind in ("application/json", "text/plain", "application/soap+xml", "text/xml; charset=utf-16", "text/xml; charset=iso-8859-1"):
        answered = await door.call(GET, ASKED, {"Content-Type": kind})
        assert (answered.status, answered.fault.detail["Reason"]) == (415, "MALFORMED")
    answered = await door.call(GET, ASKED, {"Content-Encoding": "gzip"})
    assert answered.status == 415
    assert door.edge.seen == []


async def test_a_body_that_is_too_large_is_not_read_to_its_end(door: Rig) -> None:
    answered = await door.call(GET, {"PNCID": SECRET * 10_000})
    assert (answered.status, answered.fault.code, answered.fault.detail["Code"]) == (413, "Client", "MB1003")
    assert door.edge.seen == []


async def test_other_methods_and_paths_are_refused(door: Rig) -> None:
    assert (await door.send("/MetIP/services/Nothing", b"<a/>")).status == 404
    assert (await door.send(GET.service.path)).status == 405
    assert (await door.send(f"{GET.service.path}?xsd")).status == 405


async def test_an_action_of_another_operation_is_refused(door: Rig) -> None:
    answered = await door.call(GET, ASKED, {"SOAPAction": f'"{BY_NAME["FindNames"].action}"'})
    assert (answered.status, answered.fault.code, answered.fault.detail["Reason"]) == (500, "Client", "MALFORMED")
    assert door.edge.seen == []


async def test_past_the_calls_at_once_of_one_consumer_it_is_told_to_come_again(tmp_path: Path) -> None:
    async with running_facade(tmp_path, max_in_flight_of_one_consumer=1) as door:
        door.edge.answer = None
        first = asyncio.create_task(door.call(GET, ASKED, {"Request-Timeout": "3"}))
        await asyncio.wait_for(door.edge.asked.wait(), 10)
        answered = await door.call(GET, ASKED)
        assert (answered.fault.code, answered.fault.detail["Reason"]) == ("Server", "BUSY")
        assert int(answered.fault.detail["RetrySeconds"]) >= 1
        first.cancel()
        await asyncio.wait((first,))


async def test_a_client_that_goes_away_ends_its_call_and_its_place_is_free_again(tmp_path: Path) -> None:
    async with running_facade(tmp_path) as door:
        door.edge.answer = None
        gone = asyncio.create_task(door.call(GET, ASKED))
        await asyncio.wait_for(door.edge.asked.wait(), 10)
        gone.cancel()
        await until(lambda: not door.facade.gate.inside)
        assert '"outcome":"CANCELLED"' in door.lines()


# The process's own


async def test_calls_in_progress_end_while_the_door_closes(tmp_path: Path) -> None:
    later = asyncio.Event()

    async def answer(context: Any) -> None:
        await later.wait()
        await context.abort_with_status(rpc_status.to_status(status_of(Fault(Reason.NO_TRACE, "x"), system="pnc", call_id="call-9")))

    async with running_facade(tmp_path) as door:
        door.edge.answer = answer
        waiting = asyncio.create_task(door.call(GET, ASKED))
        await asyncio.wait_for(door.edge.asked.wait(), 10)
        door.facade.gate.stopping = True
        assert (await door.call(GET, ASKED)).fault.detail["Reason"] == "STOPPING"
        asyncio.get_running_loop().call_later(0.2, later.set)
    answered: Answered = await waiting
    assert answered.fault.detail["Reason"] == "NO_TRACE"


async def test_health_is_told_on_a_socket_of_its_own_user(door: Rig, tmp_path: Path) -> None:
    socket = tmp_path / "facade.sock"
    async with door.facade.healthy(socket), aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session:
        async with session.get("http://facade/health") as response:
            told = await response.json()
        assert socket.stat().st_mode & 0o077 == 0
    assert (response.status, told["state"], told["consumers"], told["address"]) == (200, "SERVING", 1, door.address)


async def test_no_line_of_the_log_repeats_a_word_of_a_request(door: Rig) -> None:
    await door.call(BY_NAME["FindNames"], {"Surname": SECRET, "Forename": SECRET, "Sex": SECRET, "Born": {"From": SECRET}})
    await door.send(f"/{SECRET}?{SECRET}", SECRET.encode(), headers={"SOAPAction": SECRET, "Content-Type": "text/xml"})
    await door.send(GET.service.path, document(GET, ASKED, token=""), headers={"SOAPAction": SECRET, "Content-Type": "text/xml"})
    assert door.lines().count("soap_call") >= 3
    assert SECRET not in door.lines()


def _refusing(fault: Fault) -> Callable[[Any], Any]:
    async def answer(context: Any) -> None:
        await context.abort_with_status(rpc_status.to_status(status_of(fault, system="pnc", call_id="call-8")))

    return answer


def _edge_refusing(status: grpc.StatusCode, reason: str) -> Callable[[Any], Any]:
    found = status_of(Fault(Reason.INTERNAL, "x"), system="pnc", call_id="call-8")
    found.code, found.message = status.value[0], f"{reason}: it may not"
    del found.details[:]
    found.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="edge.metip", metadata={"advice": "Look."}))
    found.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(nanos=300_000_000)))

    async def answer(context: Any) -> None:
        await context.abort_with_status(rpc_status.to_status(found))

    return answer


async def _serial(door: Rig) -> str:
    host, _, port = door.address.removeprefix("https://").rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=door.client())
    found = writer.get_extra_info("peercert")
    writer.close()
    return str(found["serialNumber"])
