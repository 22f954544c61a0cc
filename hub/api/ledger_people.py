"""Reads officer tokens where no Envoy stands before the hub: on its own socket."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hub.identity import IdentityError, Store, TokenError, inspect_token
from hub.ledger.actions import Identify, Person
from metip.faults import Fault, Reason


def identify(identity: Path, audience: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Identify:
    """Who a token says that somebody is, by the issuer whose key set lies in the identity folder."""
    store = Store(identity)

    def person(token: str) -> Person:
        try:
            claims = inspect_token(store, token, now(), audience=audience)
        except TokenError as error:
            raise Fault(Reason.OFFICER_NEEDED, f"the officer token is not accepted: {error}") from None
        except IdentityError:
            raise Fault(Reason.OFFICER_NEEDED, "the issuer's key set can't be read") from None
        return Person(claims.warrant_number, claims.force, claims.unit, claims.roles)

    return person
