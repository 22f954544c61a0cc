"""The simulator's case files: the rules that it keeps."""

from datetime import UTC, datetime

import pytest

from adapters.copa import codes, records
from adapters.copa.register import Refusal, Register
from adapters.kit.population import Population

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
URN = "01ZT9791926"


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(2026)


def test_every_charge_has_a_file_and_every_file_its_own_reference(population: Population) -> None:
    register = Register.of(population)
    charged = [arrest for arrest in population.arrests() if arrest.charged]
    assert len(register.cases) == len(charged)
    assert all(register.get(arrest.pti_urn).defendants[0].asn == arrest.asn for arrest in charged)


def test_a_result_is_filed_once_whatever_version_it_names(population: Population) -> None:
    register = Register.of(population)
    case = register.get(URN)
    result = records.Result(key="K", asn=case.defendants[0].asn, court="2576", heard=(2026, 11, 20))
    filed, before = register.file(records.FileResult(urn=URN, version=1, result=result), AT)
    assert (filed.version, filed.status, before) == (2, codes.RESULTED, False)
    again, before = register.file(records.FileResult(urn=URN, version=1, result=result), AT)
    assert (again, before) == (filed, True)


def test_a_refused_change_changes_nothing(population: Population) -> None:
    register = Register.of(population)
    before = register.get(URN)
    for change in (
        records.AmendCase(urn=URN, version=9, officer="P1"),
        records.AmendCase(urn=URN, version=1, defendant=before.defendants[0]),
        records.AmendCase(urn=URN, version=1),
    ):
        with pytest.raises(Refusal):
            register.amend(change)
    assert register.get(URN) is before
