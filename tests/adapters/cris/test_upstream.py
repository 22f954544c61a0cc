"""What CRIS refuses with, as callers see it."""

from datetime import timedelta
from importlib.resources import files

import pytest

from adapters.cris import upstream, wire
from adapters.cris.codes import FIELDS, PROBLEMS, Code, Problem
from adapters.kit.soap import SoapFault
from metip.cris.v1 import crime_report_service_pb2 as service
from metip.faults import Fault, Reason

TABLE = [
    pytest.param(Code.UNKNOWN_REF, Reason.NO_TRACE, id="unknown_ref"),
    pytest.param(Code.RESTRICTED, Reason.RESTRICTED, id="restricted"),
    pytest.param(Code.VERSION_CONFLICT, Reason.CONFLICT, id="version_conflict"),
    pytest.param(Code.LOCKED, Reason.LOCKED, id="locked"),
    pytest.param(Code.CLOSED, Reason.PRECONDITION, id="closed"),
    pytest.param(Code.INVALID, Reason.INVALID_REQUEST, id="invalid"),
    pytest.param(Code.RETIRED_CLASS, Reason.INVALID_REQUEST, id="retired_class"),
    pytest.param(Code.REUSED_REF, Reason.INVALID_REQUEST, id="reused_ref"),
    pytest.param(Code.MAINTENANCE, Reason.UPSTREAM_UNAVAILABLE, id="maintenance"),
    pytest.param(Code.SESSION_LIMIT, Reason.BUSY, id="session_limit"),
    pytest.param(Code.INTERNAL, Reason.UPSTREAM_FAULT, id="internal"),
]


def raised(detail: dict[str, str], *, need_to_know: bool = False, write_once: bool = False, words: str = "") -> Fault:
    """The fault that a SOAP fault becomes."""
    with pytest.raises(Fault) as refused, upstream.map_upstream(need_to_know=need_to_know, write_once=write_once):
        raise SoapFault("Client", words, detail)
    return refused.value


@pytest.mark.parametrize(("code", "reason"), TABLE)
def test_each_code_has_one_reason_and_travels_with_it(code: Code, reason: Reason) -> None:
    fault = raised({"CODE": code.value}, need_to_know=True)
    assert fault.reason is reason
    assert fault.metadata == {"code": code.value}


def test_the_table_has_every_code() -> None:
    assert {param.values[0] for param in TABLE} == set(Code) == set(upstream.MEANINGS)
    assert set(PROBLEMS) == set(Problem)


def test_the_readme_tells_every_code_with_its_status_and_reason() -> None:
    lines = (files("adapters.cris") / "README.md").read_text(encoding="utf-8").splitlines()
    for code, (reason, _) in upstream.MEANINGS.items():
        row = next(line for line in lines if line.startswith(f"| `{code}`"))
        assert f"{reason.status.name} {reason.name}" in row


def test_an_unknown_number_and_a_restricted_one_are_the_same_to_the_letter() -> None:
    assert raised({"CODE": Code.UNKNOWN_REF.value}) == raised({"CODE": Code.RESTRICTED.value})


def test_an_officer_with_a_need_to_know_learns_that_a_number_is_unknown() -> None:
    assert raised({"CODE": Code.UNKNOWN_REF.value}, need_to_know=True).reason is Reason.NO_TRACE


@pytest.mark.parametrize("said", ["CRIS-0777", "", "HALZERWICK, CALQUOL 20/03/1992"], ids=["new", "none", "words"])
def test_a_code_of_no_known_meaning_is_a_refusal_and_shows_only_when_it_is_a_code(said: str) -> None:
    fault = raised({"CODE": said}, write_once=True)
    assert fault.reason is Reason.UPSTREAM_REFUSED
    assert fault.metadata == {"code": said if said == "CRIS-0777" else "none"}


def test_no_word_of_cris_gets_through() -> None:
    fault = raised({"CODE": Code.LOCKED.value, "BY": "P654321"}, words="LOCKED BY P654321 HALZERWICK")
    assert "P654321" not in f"{fault} {fault.metadata} {fault.fields}"
    assert fault.__cause__ is None


def test_fields_are_named_as_the_contract_has_them_and_problems_in_our_words() -> None:
    errors = "SHEET.PARTIES[2].PERSON.DATE_OF_BIRTH|FUTURE\nSHEET.BOROUGH|UNKNOWN_CODE\nHALZERWICK|HALZERWICK"
    fault = raised({"CODE": Code.INVALID.value, "ERRORS": errors})
    assert fault.fields == (
        ("sheet.parties.person.date_of_birth", "lies in the future"),
        ("sheet.borough", "is not in the far system's list"),
        ("", "the far system refused fields"),
    )


def test_every_field_that_can_be_named_exists_in_a_request() -> None:
    requests = [message for name, message in service.DESCRIPTOR.message_types_by_name.items() if name.endswith("Request")]

    def reaches(message: object, path: list[str]) -> bool:
        field = getattr(message, "fields_by_name", {}).get(path[0])
        return field is not None and (len(path) == 1 or reaches(field.message_type, path[1:]))

    assert [path for path in FIELDS.values() if not any(reaches(request, path.split(".")) for request in requests)] == []


RETRIES = [
    pytest.param({"CODE": Code.MAINTENANCE.value, "RETRY_MINUTES": "12"}, timedelta(minutes=12), id="minutes_left"),
    pytest.param({"CODE": Code.MAINTENANCE.value}, timedelta(minutes=30), id="the_whole_window"),
    pytest.param({"CODE": Code.MAINTENANCE.value, "RETRY_MINUTES": "soon"}, timedelta(minutes=30), id="nonsense"),
    pytest.param({"CODE": Code.SESSION_LIMIT.value}, timedelta(seconds=2), id="session"),
    pytest.param({"CODE": Code.CLOSED.value}, None, id="nothing_to_wait_for"),
]


@pytest.mark.parametrize(("detail", "delay"), RETRIES)
def test_a_caller_is_told_how_long_to_wait_where_waiting_helps(detail: dict[str, str], delay: timedelta | None) -> None:
    assert raised(detail).retry_after == delay


def test_a_write_that_failed_within_cris_is_in_doubt() -> None:
    fault = raised({"CODE": Code.INTERNAL.value}, write_once=True)
    assert fault.reason is Reason.IN_DOUBT
    assert fault.metadata == {"code": Code.INTERNAL.value}


@pytest.mark.parametrize(("write_once", "reason"), [(False, Reason.UPSTREAM_FAULT), (True, Reason.IN_DOUBT)], ids=["query", "write"])
def test_an_answer_that_is_none_is_a_fault_and_puts_a_write_in_doubt(write_once: bool, reason: Reason) -> None:
    with pytest.raises(Fault) as refused, upstream.map_upstream(need_to_know=False, write_once=write_once):
        raise wire.WireError("VERSION is missing")
    assert refused.value.reason is reason
    assert "VERSION is missing" in refused.value.text


def test_a_refusal_of_a_write_is_no_doubt() -> None:
    assert raised({"CODE": Code.VERSION_CONFLICT.value}, write_once=True).reason is Reason.CONFLICT
