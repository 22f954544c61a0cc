"""Who acts, as the hub is told: by a header that Envoy writes for the console, and the command line on the hub's own socket."""

import re
from collections.abc import Mapping
from typing import Final

from hub.ledger.actions import Person
from metip.call import OFFICER_HEADER, OPERATOR_HEADER, officer_of

OPERATOR: Final = re.compile(r"os://[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,64}|sso://[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._@|:+-]{1,128}")
"""`os://<host>/<user>` on the hub's own socket, which nobody but its owner reaches; `sso://<issuer>/<subject>` from the console, where
Envoy wrote it down after it had verified the token."""
SIGNED_IN: Final = "sso://"


def signed_in(metadata: Mapping[str, str]) -> Person | None:
    """The person whose token Envoy verified for the console; None where the call did not come that way. Raises `Fault` OFFICER_NEEDED."""
    if not metadata.get(OPERATOR_HEADER, "").startswith(SIGNED_IN) or OFFICER_HEADER not in metadata:
        return None
    officer = officer_of(metadata[OFFICER_HEADER])
    return Person(officer.warrant_number, officer.force, officer.unit, officer.roles)
