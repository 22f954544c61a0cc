"""The names enquiry of two platforms, compared: seeded defects are found and named by field, noise is not."""

import pytest
from people_defects import NOISE, TWELVE
from people_pairs import People, Population

from hub.parity import Comparator, Finding

OPERATION = "metip.pnc.v1.PersonEnquiryService/SearchPersons"


@pytest.mark.timeout(300)
def test_defects_of_the_new_path_are_found_and_the_noise_of_the_old_one_is_not() -> None:
    people = People(operation=OPERATION)
    comparator = Comparator(people.contracts)
    noise = {name: (share, change) for name, (share, change, _) in NOISE.items()}
    defects = {name: (0.03, change) for name, (change, *_) in TWELVE.items()}
    for pair in Population(people, noise, defects).pairs(4000):
        comparator.take(pair)
    found = {one.field: one.finding for one in comparator.evidence("metip.pnc.v1").fields}
    assert not comparator.failed
    assert {name: found[field] for name, (_, field, _, _) in TWELVE.items()} == dict.fromkeys(TWELVE, Finding.FINDING)
    assert {name: found[field] for name, (_, _, field) in NOISE.items()} == dict.fromkeys(NOISE, Finding.NOISE)
