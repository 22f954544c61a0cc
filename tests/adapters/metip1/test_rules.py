"""Rules of the bridge that need no bus: codes and reasons, pages, and that every operation has a case."""

import re

from cases import case_files, read_case
from checkout import text

from adapters.kit.soap import SoapFault
from adapters.metip1.adapter import BRIDGED
from adapters.metip1.faults import FAULTS, code_of, fault_of
from adapters.metip1.services import OPERATIONS
from adapters.metip1.upstream import Bus
from metip.faults import Reason
from metip.metip1.v1.settings_pb2 import Settings
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest


def test_every_reason_has_a_code_and_most_codes_come_back_as_the_reason_they_were_told_for() -> None:
    assert {code_of(reason) for reason in Reason} == set(FAULTS)
    same = [reason for reason in Reason if fault_of(SoapFault("Server", "", {"Code": code_of(reason)}), write_once=False).reason is reason]
    assert {reason.name for reason in Reason} - {reason.name for reason in same} == {
        *("MALFORMED", "PURPOSE_NOT_PERMITTED", "OFFICER_NEEDED", "CONSUMER_UNKNOWN"),
        *("CIRCUIT_OPEN", "STOPPING", "JOURNAL", "NOT_KEPT", "INTERNAL"),
    }


def test_searches_are_bounded_by_the_page_of_the_settings() -> None:
    bus = Bus(None, None, Settings(page_size=5))  # type: ignore[arg-type]  # nothing is asked
    many = [SearchPersonsRequest(limit=limit) for limit in (0, 3, 5, 20)]
    assert [bus._bounded(one).limit for one in many] == [5, 3, 5, 5]  # type: ignore[attr-defined]  # each is the request's own kind
    assert [one.limit for one in many] == [0, 3, 5, 20]
    one = GetPersonRequest()
    assert bus._bounded(one) is one


def test_every_operation_is_asked_by_a_case() -> None:
    known = {read_case(path).case.operation for path in case_files(("metip1",))}
    assert {one.contract for one in OPERATIONS if one.service in BRIDGED} == known


def test_the_documented_codes_are_those_of_the_table() -> None:
    found = re.findall(r"^\| `(MB[0-9]{4})` \| ([^|]*) \| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", text("docs/errors.md"), re.MULTILINE)
    told = [(code, words, reason, write.strip("`"), told.replace("`", "").split(", ")) for code, words, reason, write, told in found]
    assert told == [
        (
            code,
            meaning.text,
            meaning.reason.name,
            meaning.write.name if meaning.write else "the same",
            [one.name for one in meaning.told_for or (meaning.reason,)],
        )
        for code, meaning in FAULTS.items()
    ]
