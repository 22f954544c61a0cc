"""The adapter's own door: what partners hand over is published once, acknowledged by a message of its own, and never taken too early."""

import asyncio
import dataclasses
import io
import ssl
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from cryptography.hazmat.primitives.asymmetric import ec
from waiting import until

from adapters.command_control import records, wire
from adapters.command_control.records import Header, Message, Reference
from adapters.command_control.room import Text, story
from adapters.command_control.upstream import Rooms
from adapters.kit.mirror import record_type
from adapters.kit.simulation.dials import Dial
from adapters.kit.tls import Credentials, write_certificates
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_FROM_PARTNERS
from metip.command_control.v1.incident_pb2 import IncidentClosure
from metip.command_control.v1.settings_pb2 import Settings
from metip.settings import SettingsError, parse_settings
from tests.adapters.command_control.asking import AT, FIRE, OWN, create, update
from tests.adapters.command_control.rooms_rig import SOON, RoomsRig, reason_of, rooms_rig

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def knock(rig: RoomsRig) -> RoomsRig:
    """Lets the simulator learn where the door is."""
    await rig.incidents.CreateIncident(create("door"), timeout=SOON, metadata=from_envoy())
    return rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RoomsRig]:
    async with rooms_rig(tmp_path_factory.mktemp("door")) as rig:
        yield await knock(rig)


@pytest.fixture
def rooms(running: RoomsRig) -> Any:
    """The rig, with every dial back and nothing refused."""
    yield running
    running.dials.clear()
    running.exchange.refusing = None
    running.simulator.agency = FIRE


def message(reference: str, **more: Any) -> Message:
    """A partner's words about an incident of its own."""
    header = Header(message_id=more.pop("message_id", str(uuid.uuid4())), from_agency=FIRE, to_agencies=OWN)
    header = dataclasses.replace(header, **{name: more.pop(name) for name in ("from_agency", "version", "test") if name in more})
    return Message(header=header, origin=Reference(agency=FIRE, reference=reference), free_text=Text(text="Hose is laid."), **more)


async def said(rooms: RoomsRig, one: Message) -> records.Ack:
    """Pushes a message and gives what the adapter says of it."""
    assert await rooms.simulator.push(one) == 202
    await until(lambda: one.header.message_id in rooms.simulator.acks)
    return rooms.simulator.acks[one.header.message_id]


async def test_what_a_partner_hands_over_is_published_in_order(rooms: RoomsRig) -> None:
    before = len(rooms.exchange.messages)
    handed = await rooms.simulator.hand_over()
    await until(lambda: all(one.header.message_id in rooms.simulator.acks for one in handed))
    created, changed, words = rooms.exchange.messages[before:]
    assert [one.WhichOneof("content") for one in (created, changed, words)] == ["incident_create", "incident_update", "free_text"]
    assert {(one.from_agency, tuple(one.to_agencies), one.direction) for one in (created, changed, words)} == {
        (FIRE, (OWN,), HANDOVER_DIRECTION_FROM_PARTNERS)
    }
    assert {(one.origin_agency, one.origin_reference) for one in (changed, words)} == {
        (created.incident_create.origin.agency, created.incident_create.origin.reference)
    }
    assert [one.update_number for one in (created, changed, words)] == [0, 1, 2]
    assert created.incident_create.caller.telephone.startswith(("07700 900", "020 7946"))


async def test_each_message_is_acknowledged_with_our_reference(rooms: RoomsRig) -> None:
    one = message("referenced")
    ack = await said(rooms, one)
    taken, _ = rooms.exchange.taken[FIRE, one.header.message_id]
    assert (ack.accepted, ack.code, ack.their_incident) == (True, "", Reference(agency=OWN, reference=taken))


async def test_a_message_that_comes_again_is_one_and_its_reference_the_same(rooms: RoomsRig) -> None:
    one = message("repeated")
    first = await said(rooms, one)
    del rooms.simulator.acks[one.header.message_id]
    again = await said(rooms, one)
    assert (again.accepted, again.code, again.their_incident) == (True, records.DUPLICATE, first.their_incident)
    assert [request.origin_reference for request in rooms.exchange.messages].count("repeated") == 1


async def test_a_creation_that_is_doubled_under_another_id_is_one_message(rooms: RoomsRig) -> None:
    before = len(rooms.exchange.messages)
    handed = await rooms.simulator.hand_over("doubled")
    await until(lambda: all(one.header.message_id in rooms.simulator.acks for one in handed))
    created = [one for one in rooms.exchange.messages[before:] if one.WhichOneof("content") == "incident_create"]
    assert len(created) == 1
    first, second = (rooms.simulator.acks[one.header.message_id] for one in handed[:2])
    assert handed[0].header.message_id != handed[1].header.message_id
    assert (second.code, second.their_incident) == (records.DUPLICATE, first.their_incident)


async def test_updates_in_the_wrong_order_keep_their_numbers(rooms: RoomsRig) -> None:
    before = len(rooms.exchange.messages)
    await rooms.simulator.hand_over("out_of_order")
    assert [one.update_number for one in rooms.exchange.messages[before:]] == [0, 2, 1]


async def test_a_room_hands_over_when_it_is_told_something(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("hands_over", times=1)])
    before = len(rooms.exchange.messages)
    await rooms.incidents.CreateIncident(create("prompting"), timeout=SOON, metadata=from_envoy())
    await until(lambda: len(rooms.exchange.messages) == before + 3)


async def test_an_extension_is_kept_and_read_by_nobody(rooms: RoomsRig) -> None:
    extension = '<Extension xmlns="urn:x-mait:incident-transfer:1.0"><pumps xmlns="urn:x-fire" needed="4"/></Extension>'
    await said(rooms, message("extended", extension=extension))
    assert rooms.exchange.messages[-1].extension == extension


CLOSURE = record_type(IncidentClosure)(closed_at=AT, code="RESOLVED")
REFUSED = {
    "an agency that is no partner": ({"from_agency": "FRS-NOBODY"}, records.UNKNOWN_AGENCY),
    "itself": ({"from_agency": OWN}, records.UNKNOWN_AGENCY),
    "another version": ({"version": "2.0"}, records.VERSION),
    "an id of another form": ({"message_id": "17"}, records.INVALID),
    "words and a state": ({"incident_close": CLOSURE}, records.INVALID),
}


@pytest.mark.parametrize(("more", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_can_not_be_taken_is_refused_by_a_message_and_not_published(rooms: RoomsRig, more: dict[str, Any], code: str) -> None:
    before, told = rooms.exchange.handed_over, rooms.logged("handover_refused")
    ack = await said(rooms, message("refused", **more))
    assert (ack.accepted, ack.code, ack.their_incident) == (False, code, None)
    assert rooms.logged("handover_refused") == told + 1
    assert not [one for one in rooms.exchange.messages if one.origin_reference == "refused"]
    assert rooms.exchange.handed_over <= before + 1


async def test_a_newer_version_of_the_same_kind_is_understood(rooms: RoomsRig) -> None:
    assert (await said(rooms, message("newer", version="1.4"))).accepted
    assert rooms.exchange.messages[-1].protocol_version == "1.4"


async def test_a_test_of_the_line_is_acknowledged_and_goes_no_further(rooms: RoomsRig) -> None:
    before = rooms.exchange.handed_over
    ack = await said(rooms, message("testing", test=True))
    assert (ack.accepted, ack.code) == (True, records.TEST)
    assert rooms.exchange.handed_over == before


async def test_an_exercise_is_published_as_one_where_that_is_set(tmp_path: Path) -> None:
    async with rooms_rig(tmp_path, publish_tests=True) as rig:
        await knock(rig)
        ack = await said(rig, message("exercise", test=True))
        assert (ack.accepted, ack.code) == (True, "")
        assert rig.exchange.messages[-1].test
        real = dataclasses.replace(story(rig.simulator.room.calls[0], FIRE, OWN)[0])
        drill = dataclasses.replace(real, header=dataclasses.replace(real.header, test=True, message_id=str(uuid.uuid4())))
        await said(rig, drill)
        assert (await said(rig, real)).code == "", "a real incident is no repetition of an exercise"


async def test_what_the_exchange_refuses_is_rejected(rooms: RoomsRig) -> None:
    rooms.exchange.refusing = grpc.StatusCode.INVALID_ARGUMENT
    assert (await said(rooms, message("broken"))).code == records.INVALID


async def test_what_the_exchange_can_not_take_now_is_to_come_again(rooms: RoomsRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.command_control.inbox.PATIENCE", 0.2)
    rooms.exchange.refusing = grpc.StatusCode.UNAVAILABLE
    one = message("later")
    assert await post(rooms, wire.encode(dataclasses.replace(one, header=dataclasses.replace(one.header, version="1.0")))) == 503
    assert one.header.message_id not in rooms.simulator.acks
    rooms.exchange.refusing = None
    assert (await said(rooms, one)).accepted


async def test_our_acknowledgement_is_said_again_until_the_hub_takes_it(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("closed", times=1)])
    assert (await said(rooms, message("said-again"))).accepted


async def test_while_the_exchange_is_away_no_more_is_taken_than_can_be_held_and_acknowledgements_still_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.command_control.inbox.AT_ONCE", 1)
    async with rooms_rig(tmp_path) as rig:
        await knock(rig)
        rig.exchange.refusing = grpc.StatusCode.UNAVAILABLE
        waiting = asyncio.create_task(post(rig, wire.encode(message("waiting", version="1.0"))))
        await until(lambda: rig.exchange.handed_over)
        assert await post(rig, wire.encode(message("one-more", version="1.0"))) == 503
        reply = await rig.incidents.CreateIncident(create("meanwhile"), timeout=SOON, metadata=from_envoy())
        assert reply.acknowledgement.accepted
        rig.exchange.refusing = None
        assert await waiting == 202


async def test_nothing_is_taken_without_a_way_to_the_exchange(tmp_path: Path) -> None:
    async with rooms_rig(tmp_path, mesh=False, hub=False) as rig:
        await knock(rig)
        assert await post(rig, wire.encode(message("nowhere"))) == 503


async def post(rig: RoomsRig, body: bytes | io.BytesIO, credentials: Credentials | None = None) -> int:
    """One POST to the door; its HTTP status."""
    tls = (credentials or Credentials.everybodys()).client
    async with aiohttp.ClientSession() as http, http.post(rig.simulator.door, data=body, ssl=tls) as response:
        return response.status


NONSENSE = {
    "no XML": b"\x00\xff",
    "an entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><Message xmlns="urn:x-mait:incident-transfer:1.0">&e;</Message>',
    "an enquiry": b'<ListResourcesRequest xmlns="urn:x-mait:incident-transfer:1.0"/>',
    "another namespace": b'<Message xmlns="urn:other"/>',
    "no header": b'<Message xmlns="urn:x-mait:incident-transfer:1.0"/>',
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
async def test_what_is_no_message_is_answered_400(rooms: RoomsRig, body: bytes) -> None:
    told = rooms.logged("delivery_refused")
    assert await post(rooms, body) == 400
    assert rooms.logged("delivery_refused") == told + 1


async def test_an_acknowledgement_of_no_message_of_ours_is_not_taken_and_not_repeated_in_the_log(rooms: RoomsRig) -> None:
    header = Header(message_id=str(uuid.uuid4()), from_agency=FIRE, to_agencies=OWN)
    ack = records.Ack(message_id="Mrs Quackenbush", accepted=True)
    assert await post(rooms, wire.encode(Message(header=header, ack=ack))) == 400
    assert "Quackenbush" not in rooms.log.read_text()


async def test_a_document_that_is_too_large_is_not_read(rooms: RoomsRig) -> None:
    assert await post(rooms, io.BytesIO(b" " * (16 * 1024 * 1024 + 1))) == 413


async def test_nobody_comes_in_without_a_certificate(rooms: RoomsRig) -> None:
    bare = ssl.create_default_context()
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(aiohttp.ClientError):
        async with aiohttp.ClientSession() as http, http.post(rooms.simulator.door, data=b"", ssl=bare) as response:
            await response.read()


@pytest.fixture
def issued(tmp_path: Path) -> Any:
    """Credentials of somebody of a DNS name, all signed by one authority; and the folder of the adapter's own."""
    authority = ec.generate_private_key(ec.SECP256R1())

    def of(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        write_certificates(folder, authority, name)
        return folder

    return of


def credentials(folder: Path) -> Credentials:
    """Those of a folder."""
    return Credentials(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")


def files(folder: Path, **more: Any) -> dict[str, Any]:
    """The setting for the files of a folder."""
    return {
        "certificate_file": str(folder / "cert.pem"),
        "key_file": str(folder / "key.pem"),
        "authority_file": str(folder / "ca.pem"),
        **more,
    }


async def test_with_files_both_sides_know_one_another_and_nobody_else_comes_in(tmp_path: Path, issued: Any) -> None:
    hub, own, agency = issued("hub.test"), issued("adapter.test"), issued("agency.test")
    async with rooms_rig(tmp_path, credentials=credentials(hub), tls=files(own, peers=["hub.test"])) as rig:
        await knock(rig)
        assert await post(rig, wire.encode(message("known")), credentials(hub)) == 202
        assert await post(rig, wire.encode(message("signed")), credentials(agency)) == 403
        with pytest.raises(aiohttp.ClientError):
            await post(rig, wire.encode(message("stranger")), Credentials.everybodys())


async def test_a_hub_with_a_strange_certificate_is_told_nothing(tmp_path: Path, issued: Any) -> None:
    async with rooms_rig(tmp_path, tls=files(issued("adapter.test"))) as rig:
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await rig.incidents.CreateIncident(create("strange"), timeout=SOON, metadata=from_envoy())
        assert reason_of(told.value)[1] == "UPSTREAM_UNAVAILABLE", "nothing left, so nothing is in doubt"
        assert rig.simulator.seen == []


async def test_a_hub_that_trusts_others_lets_the_adapter_not_in(tmp_path: Path, issued: Any) -> None:
    # The adapter trusts the hub's authority, and shows a certificate of another.
    hub = issued("hub.test")
    mine = tmp_path / "mine"
    mine.mkdir()
    write_certificates(mine, ec.generate_private_key(ec.SECP256R1()), "adapter.test")
    (mine / "ca.pem").write_bytes((hub / "ca.pem").read_bytes())
    async with rooms_rig(tmp_path, credentials=credentials(hub), tls=files(mine)) as rig:
        with pytest.raises(grpc.aio.AioRpcError):
            await rig.incidents.UpdateIncident(update("strange", 1), timeout=SOON, metadata=from_envoy())
        assert rig.simulator.seen == []


async def test_a_door_for_everybody_needs_certificates_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        async with rooms_rig(tmp_path, listen="0.0.0.0:0"):
            pass
    assert told.value.problems[0].startswith("listen:")


HUB, DOOR = "upstream: {address: 'https://127.0.0.1:1'}", "listen: '127.0.0.1:0'"
WRONG = {
    "a hub without TLS": ("upstream: {address: 'http://127.0.0.1:1'}", DOOR, "https"),
    "half of the files": (HUB, DOOR, "tls: {key_file: a}", "belong together"),
    "two workers at one port": (HUB, "listen: '127.0.0.1:8443'", "serving: {workers: 2}", "one worker"),
    "no door": (HUB, "listen"),
    "more patience than the operation has": (HUB, DOOR, "acknowledged_within: 60s", "acknowledged_within"),
}


@pytest.mark.parametrize("lines", WRONG.values(), ids=WRONG)
async def test_settings_that_can_not_work_are_refused(lines: tuple[str, ...]) -> None:
    *text, told = lines
    with pytest.raises(SettingsError, match=told):
        parse_settings("\n".join(text), Settings, source="x")


@pytest.mark.parametrize(("said", "seconds"), [({}, 30.0), ({"acknowledged_within": {"seconds": 5}}, 5.0)], ids=["unless told", "as told"])
async def test_an_acknowledgement_is_waited_for_so_long(said: dict[str, Any], seconds: float) -> None:
    nobody: Any = None
    assert Rooms(nobody, nobody, Settings(**said), nobody).within == seconds
