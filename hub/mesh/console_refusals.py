"""What Envoy itself refuses on the console's listener: to browsers' gRPC libraries in their own form, to everybody else as at the edge."""

from functools import lru_cache
from typing import Final

from hub.mesh.refusals import Refusal, in_grpc_web, mapper, token_refused
from hub.mesh.types import hcm

_DENIED: Final = "response.code_details.startsWith('rbac_access_denied')"
_FILTER: Final = "'envoy.filters.http.jwt_authn'"
_VERIFIED: Final = f"{_FILTER} in metadata.filter_metadata && 'officer' in metadata.filter_metadata[{_FILTER}]"
_CLAIMS: Final = f"metadata.filter_metadata[{_FILTER}]['officer']"
SIGN_IN_AGAIN: Final = "Sign in again: on a laptop open the address that `metip console` prints."


def console_refusals(console: str) -> tuple[Refusal, ...]:
    """Each, in the order in which they are told apart. `console` is the SPIFFE ID for which tokens must be made; empty where an issuer of
    OpenID Connect makes them."""
    another = f"{_DENIED} && {_VERIFIED} && (!('azp' in {_CLAIMS}) || {_CLAIMS}['azp'] != '{console}')"
    found = [
        Refusal("FOREIGN_ORIGIN", "PERMISSION_DENIED", "response.code_details == 'csrf_origin_mismatch'",
                "the call does not come from a page of the console", "Call from the console's own page, or with a client of gRPC."),
        Refusal("SIGN_IN_NEEDED", "UNAUTHENTICATED", token_refused("Jwt_is_missing"), "nobody is signed in", SIGN_IN_AGAIN),
        Refusal("TOKEN_EXPIRED", "UNAUTHENTICATED", token_refused("Jwt_is_expired"), "the sign-in has expired", SIGN_IN_AGAIN),
        Refusal("TOKEN_WRONG_AUDIENCE", "PERMISSION_DENIED", token_refused("Audiences_in_Jwt"),
                "the token was made for something else", SIGN_IN_AGAIN),
        Refusal("TOKEN_REFUSED", "UNAUTHENTICATED", token_refused(""), "the token is not one of the console's issuer", SIGN_IN_AGAIN),
        Refusal("SIGN_IN_NEEDED", "UNAUTHENTICATED", "response.code_details.startsWith('Unauthorized')", "nobody is signed in",
                "Load the page again, and sign in."),
    ]  # fmt: skip
    if console:
        found.append(Refusal("TOKEN_OF_ANOTHER", "PERMISSION_DENIED", another, "the token was made for another consumer", SIGN_IN_AGAIN))
    found += [
        Refusal("ROLE_NEEDED", "PERMISSION_DENIED", f"{_DENIED} && {_VERIFIED}", "the sign-in names no role that may do this",
                "Reading takes the role operations-read or operations, everything else operations: sign in with it."),
        Refusal("NOT_ROUTED", "PERMISSION_DENIED", _DENIED, "the console reaches no operation of exactly that path",
                "Look at the path; what consumers call is called at the edge."),
    ]  # fmt: skip
    return tuple(found)


@lru_cache(maxsize=4)
def console_replies(console: str) -> hcm.LocalReplyConfig:
    """What Envoy's own answers look like."""
    refusals = console_refusals(console)
    return hcm.LocalReplyConfig(mappers=[*map(in_grpc_web, refusals), *(mapper(one, as_json=False) for one in refusals)])
