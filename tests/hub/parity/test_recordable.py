"""What may be recorded, and that each query that may be asked can be told why."""

import pytest
from pairs_rig import CONTRACTS, NEVER, RECORDED, SECOND, WRITE

from hub.exchange.accepting import kinds
from hub.parity.recordings import recordable
from hub.parity.sampling import ForbiddenError

OPERATION = CONTRACTS.operations[RECORDED.operation.name]
OLD, KIND = SECOND, kinds(CONTRACTS)


@pytest.mark.parametrize(
    ("name", "system", "words"),
    [
        (WRITE, "", "nothing of"),
        (NEVER.name, "", "nothing of"),
        ("metip.nowhere.v1.NoService", "", "no contract that is loaded has"),
        (OPERATION.name, "somebody", "somebody serves nothing of"),
    ],
    ids=["write", "never", "unknown", "a stranger"],
)
def test_what_may_not_be_recorded_is_refused(name: str, system: str, words: str) -> None:
    with pytest.raises(ForbiddenError, match=words):
        recordable(CONTRACTS, name, system)


def test_an_interface_is_recorded_where_it_may_be() -> None:
    operations, system = recordable(CONTRACTS, OPERATION.interface, OLD)
    assert OPERATION.name in operations
    assert system == OLD
    assert all(CONTRACTS.operations[one].comparable for one in operations)


def test_every_operation_that_is_asked_can_be_told_why() -> None:
    wanted = [one for one in CONTRACTS.operations.values() if one.comparable and one.personal]
    assert wanted
    for one in wanted:
        field = KIND(one.request).DESCRIPTOR.fields_by_name["access"]
        assert field.message_type is not None
        assert field.message_type.full_name == "metip.common.v1.AccessContext"
