"""What Envoy itself refuses, told as adapters tell it: a status with an ErrorInfo, whose reason is one of a closed set.

The law: the first row whose condition holds names the reason. Conditions look at Envoy's own account of an answer and at what it verified;
nothing of a request is repeated. A gRPC client finds the ErrorInfo where an adapter puts it (`grpc-status-details-bin`), a JSON client in
`details` of the body.
"""

import base64
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from google.protobuf.any_pb2 import Any as Packed
from google.rpc import code_pb2, error_details_pb2, status_pb2

from hub.mesh.edge_log import IDENTITY_METADATA, VERIFIED_METADATA
from hub.mesh.types import Struct, accesslog, cel_filter, core, hcm, packed
from metip.faults import EDGE_DOMAIN

DETAILS_HEADER: Final = "grpc-status-details-bin"
MAINTENANCE: Final = "MAINTENANCE"
ANSWER_METADATA: Final = "metip.answer"
"""Under which a route in maintenance says what the listener for JSON is to answer: `message`, `text`, `retry` and `metadata`."""
LOCALE: Final = "en-GB"
_GRPC_WEB: Final = "'content-type' in request.headers && request.headers['content-type'].startsWith('application/grpc-web')"
_VERIFIED: Final = f"metadata.filter_metadata['{VERIFIED_METADATA}']"
_OTHERS_TOKEN: Final = (
    f"response.code_details.startsWith('rbac_access_denied') && '{VERIFIED_METADATA}' in metadata.filter_metadata"
    f" && 'officer' in {_VERIFIED} && (!('azp' in {_VERIFIED}['officer'])"
    f" || {_VERIFIED}['officer']['azp'] != connection.uri_san_peer_certificate)"
)


def token_refused(words: str) -> str:
    """Holds where the check of a token ended with these words."""
    return f"response.code_details.startsWith('jwt_authn_access_denied{{{words}')"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way in which Envoy refuses."""

    reason: str
    status: str
    """gRPC status by name: what Envoy answers with over gRPC; where only JSON meets the refusal, what it would be."""
    condition: str
    """In CEL."""
    words: str
    """What happened."""
    advice: str


REFUSALS: Final = (
    Refusal(
        "CONSUMER_UNKNOWN",
        "UNAUTHENTICATED",
        f"'{IDENTITY_METADATA}' in metadata.filter_metadata",
        "the certificate is not that of exactly one workload",
        "Call with a certificate of one SPIFFE identity, which is no authority's.",
    ),
    Refusal(
        "TOKEN_OF_ANOTHER",
        "PERMISSION_DENIED",
        _OTHERS_TOKEN,
        "the officer's token was issued to another consumer",
        "Get a token that was issued to this consumer.",
    ),
    Refusal(
        "NOT_GRANTED",
        "PERMISSION_DENIED",
        "response.code_details.startsWith('rbac_access_denied')",
        "the consumer has no grant for an operation of exactly that path",
        "Look at the path; ask the owner of the interface for a grant.",
    ),
    Refusal(
        "OFFICER_NEEDED",
        "UNAUTHENTICATED",
        token_refused("Jwt_is_missing"),
        "the operation needs an officer behind it",
        "Send the officer's token as authorization metadata.",
    ),
    Refusal(
        "TOKEN_EXPIRED",
        "UNAUTHENTICATED",
        token_refused("Jwt_is_expired"),
        "the officer's token has expired",
        "Get a fresh token for the officer.",
    ),
    Refusal(
        "TOKEN_WRONG_AUDIENCE",
        "PERMISSION_DENIED",
        token_refused("Audiences_in_Jwt"),
        "the officer's token was made for another platform",
        "Get a token that was made for this platform.",
    ),
    Refusal(
        "TOKEN_REFUSED",
        "UNAUTHENTICATED",
        token_refused(""),
        "the officer's token is not one of this platform's issuer",
        "Get a token of this platform's issuer.",
    ),
    Refusal(
        "TOO_MANY_CALLS",
        "RESOURCE_EXHAUSTED",
        "response.code_details == 'local_rate_limited'",
        "the consumer has called too often",
        "Repeat in a second, and then more slowly.",
    ),
    Refusal(
        "TOO_LARGE",
        "RESOURCE_EXHAUSTED",
        "response.code_details == 'request_payload_too_large'",
        "the request is longer than any operation allows",
        "Send less, or large content by reference.",
    ),
    Refusal(
        "MALFORMED",
        "INVALID_ARGUMENT",
        "response.code_details.startsWith('grpc_json_transcode_failure')",
        "the body is not the operation's request in JSON",
        "Send a document of the contract's type, with no field that it lacks.",
    ),
)


INJECTED: Final = Refusal(
    "FAULT_INJECTED",
    "UNAVAILABLE",
    "response.code_details == 'fault_filter_abort'",
    "the call was ended on purpose",
    "Treat it as any failure of this kind; operations know why.",
)
"""As JSON has it, whatever the status over gRPC, which the settings of the fault give."""


def status_of(refusal: Refusal) -> status_pb2.Status:
    """What a gRPC client finds of a refusal; its call id is in the header `x-request-id`, since this is the same for every call."""
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain=EDGE_DOMAIN, metadata={"advice": refusal.advice})
    inside = Packed()
    inside.Pack(info)
    return status_pb2.Status(code=code_pb2.Code.Value(refusal.status), message=_message(refusal), details=[inside])


@cache
def local_replies(*, as_json: bool) -> hcm.LocalReplyConfig:
    """What the answers of Envoy itself look like, on the listener for gRPC or on the one for JSON."""
    other = _body({"code": "%RESPONSE_CODE%", "message": "%LOCAL_REPLY_BODY%", "call_id": "%REQ(X-REQUEST-ID)%"})
    mappers = [mapper(one, as_json=as_json) for one in REFUSALS]
    if as_json:
        mappers += [_in_maintenance(), mapper(INJECTED, as_json=as_json, http_status=503)]
    return hcm.LocalReplyConfig(mappers=mappers, body_format=other if as_json else None)


def mapper(refusal: Refusal, *, as_json: bool, http_status: int | None = None) -> hcm.ResponseMapper:
    """What one refusal looks like."""
    holds = _where(refusal.condition)
    if as_json:
        return hcm.ResponseMapper(filter=holds, status_code=http_status, body_format_override=_body(_document(refusal)))
    return hcm.ResponseMapper(
        filter=holds,
        # gRPC's libraries believe details only where they say the same as the status itself.
        body=core.DataSource(inline_string=_message(refusal)),
        headers_to_add=_headers({DETAILS_HEADER: _details(refusal)}),
    )


def in_grpc_web(refusal: Refusal) -> hcm.ResponseMapper:
    """What one refusal looks like to a browser's gRPC library, which reads details only from an answer that is whole in itself: with HTTP's
    status 200, and with gRPC's in the headers, as an answer without messages has it. Nothing behind may change it on its way."""
    return hcm.ResponseMapper(
        filter=_where(f"{_GRPC_WEB} && ({refusal.condition})"),
        status_code=200,
        body_format_override=core.SubstitutionFormatString(
            text_format_source=core.DataSource(inline_string=""), content_type="application/grpc-web+proto"
        ),
        headers_to_add=_headers(
            {
                "grpc-status": str(code_pb2.Code.Value(refusal.status)),
                "grpc-message": _message(refusal),
                DETAILS_HEADER: _details(refusal),
            }
        ),
    )


def _details(refusal: Refusal) -> str:
    return base64.b64encode(status_of(refusal).SerializeToString(deterministic=True)).decode()


def _headers(told: dict[str, str]) -> list[core.HeaderValueOption]:
    return [core.HeaderValueOption(header=core.HeaderValue(key=key, value=value)) for key, value in told.items()]


def _in_maintenance() -> hcm.ResponseMapper:
    """What the route says; a gRPC client has it in the header that comes with the route's answer."""

    def said(what: str) -> str:
        return f"%METADATA(ROUTE:{ANSWER_METADATA}:{what})%"

    types = "type.googleapis.com/google.rpc."
    document = {
        "code": code_pb2.UNAVAILABLE,
        "message": said("message"),
        "details": [
            {"@type": f"{types}ErrorInfo", "reason": MAINTENANCE, "domain": EDGE_DOMAIN, "metadata": said("metadata")},
            {"@type": f"{types}LocalizedMessage", "locale": LOCALE, "message": said("text")},
            {"@type": f"{types}RetryInfo", "retry_delay": said("retry")},
        ],
    }
    return hcm.ResponseMapper(
        filter=_where("response.code_details == 'direct_response'"),
        body_format_override=_body(document),
    )


def _where(condition: str) -> accesslog.AccessLogFilter:
    found = packed(cel_filter.ExpressionFilter(expression=condition))
    return accesslog.AccessLogFilter(
        extension_filter=accesslog.ExtensionFilter(name="envoy.access_loggers.extension_filters.cel", typed_config=found)
    )


def _message(refusal: Refusal) -> str:
    return f"{refusal.reason}: {refusal.words}"


def _document(refusal: Refusal) -> dict[str, Any]:
    told = {"advice": refusal.advice, "call_id": "%REQ(X-REQUEST-ID)%"}
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.reason, "domain": EDGE_DOMAIN, "metadata": told}
    return {"code": code_pb2.Code.Value(refusal.status), "message": _message(refusal), "details": [info]}


def _body(document: dict[str, Any]) -> core.SubstitutionFormatString:
    return core.SubstitutionFormatString(json_format=Struct.from_dict(document))
