"""The register's column of personal fields: counted by class over all messages of an interface, unmarked ones as personal."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from hub.cli.messages import installed
from hub.cli.personal import personal_fields
from hub.cli.register import PLATFORM
from hub.contracts import Interface

INSTALLED = installed()
INTERFACES = [one for one in INSTALLED.contracts.interfaces if one.system not in PLATFORM]
FORM = re.compile(r"none|(\d+ (sensitive|criminal offence|personal)(, )?)+(; found by [a-z ,]+)?")


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda one: one.name)
def test_every_interface_says_how_much_of_it_is_personal(interface: Interface) -> None:
    said = personal_fields(interface, INSTALLED)
    assert FORM.fullmatch(said), said
    assert said != "none" or not any(one.personal for one in interface.operations)


COUNTED = {
    # (request, reply, what is said)
    "one field of three": ("Token", "GetStatusResponse", "1 personal"),
    "what the asker says of themselves is left out": ("RotateKeyRequest", "RotateKeyResponse", "none"),
    "messages within messages, each once": ("Particulars", "Particulars", "7 personal"),
}


@pytest.mark.parametrize(("request_name", "reply_name", "said"), COUNTED.values(), ids=COUNTED)
def test_fields_are_counted_by_their_marks(request_name: str, reply_name: str, said: str) -> None:
    names = {"request": f"metip.ledger.v1.{request_name}", "reply": f"metip.ledger.v1.{reply_name}"}
    interface: Any = SimpleNamespace(operations=(SimpleNamespace(**names),))
    assert personal_fields(interface, INSTALLED) == said
