"""A call that failed, in words: what happened, why, what to do; from the platform's own error details, or from what Envoy says itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import click
import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from hub.cli.printing import FAILED, clean, mark, print_json, span
from metip.identifiers import PARSERS
from metip.masking import MASK

ENVOYS_OWN: Final[tuple[tuple[str, str, str], ...]] = (
    # (words in the status text, reason, what to do): what Envoy and the client library say themselves, without error details
    ("RBAC: access denied", "NOT_GRANTED", "give the consumer a grant in access.yaml; `metip explain` lists who may call"),
    ("Jwt is missing", "OFFICER_NEEDED", "send an officer's token: leave --no-token out, or see `metip token issue --help`"),
    ("Jwt is expired", "TOKEN_EXPIRED", "get a fresh officer token: metip token issue --help"),
    ("Audiences in Jwt are not allowed", "TOKEN_FOR_ANOTHER", "get a token for this mesh: metip token issue --help"),
    ("Jwt", "TOKEN_REFUSED", "get a token of this mesh's issuer: metip token issue --help"),
    ("no healthy upstream", "NOBODY_SERVES", "nobody serves the interface now: `metip check` says why"),
    ("upstream connect error", "ADAPTER_LOST", "the adapter went away during the call: `metip check` says why"),
    ("duration timeout", "TIMED_OUT", "repeat a query with more time; look before repeating a command"),
    ("overflow", "BUSY", "too many calls at once: repeat in a while"),
    ("Connection refused", "NO_EDGE", "Envoy is not listening: run `metip up`, or `metip check` to see what is wrong"),
    ("CERTIFICATE_VERIFY_FAILED", "EDGE_NOT_TRUSTED", "the edge's certificate is not of this home's authority: metip identity check"),
    ("andshake failed", "CERTIFICATE_REFUSED", "the edge does not accept this certificate: metip identity check"),
    ("alert", "CERTIFICATE_REFUSED", "the edge does not accept this certificate: metip identity check"),
    ("ocket closed", "CERTIFICATE_REFUSED", "the edge closed the connection: metip identity check"),
    ("Received RST_STREAM", "CUT_OFF", "the connection was cut during the call: look before repeating a command"),
)
UNLISTED: Final[Mapping[str, tuple[str, str]]] = {
    "UNIMPLEMENTED": ("NO_SUCH_OPERATION", "the mesh has no such operation: `metip interfaces` lists those that it has"),
    "DEADLINE_EXCEEDED": ("TIMED_OUT", "repeat a query with more time (--deadline); look before repeating a command"),
    "UNAVAILABLE": ("UNAVAILABLE", "nobody could be reached: `metip check` says what is wrong"),
}


@dataclass(frozen=True)
class Refusal:
    """Why a call has no answer."""

    status: str
    """gRPC status by name."""
    reason: str
    text: str
    advice: str
    call_id: str = ""
    domain: str = ""
    """Who refused, `<system>.metip`; empty for Envoy and the client library."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None

    def _masked(self) -> dict[str, str]:
        """Metadata as it may be shown: identifiers, such as that of a record that exists already, are the caller's to use, not to print."""
        return {key: MASK if key in PARSERS else value for key, value in self.metadata.items()}

    def lines(self) -> tuple[str, ...]:
        """The refusal for people."""
        found = [f"refused: {self.status} {self.reason}", f"  what happened  {self.text}"]
        found += [f"  field          {path}: {words}" for path, words in self.violations]
        found += [f"  {key:14} {value}" for key, value in self._masked().items()]
        if self.advice:
            found.append(f"  what to do     {self.advice}")
        if self.retry_after is not None:
            found.append(f"  repeat after   {span(self.retry_after)}")
        if self.domain:
            found.append(f"  said by        {self.domain}")
        if self.call_id:
            found.append(f"  call id        {self.call_id}")
        return tuple(map(clean, found))

    def document(self) -> dict[str, Any]:
        """The refusal as JSON."""
        return {
            "status": self.status,
            "reason": self.reason,
            "message": self.text,
            "advice": self.advice,
            "call_id": self.call_id,
            "domain": self.domain,
            "metadata": self._masked(),
            "field_violations": [{"field": path, "description": words} for path, words in self.violations],
            "retry_after_seconds": self.retry_after,
        }


def print_refusal(refusal: Refusal, *, as_json: bool) -> None:
    """Prints a refusal: as JSON on standard output, for people on standard error."""
    if as_json:
        print_json({"error": refusal.document()})
        return
    first, *rest = refusal.lines()
    click.echo(f"{mark(FAILED)} {first}", err=True)
    for line in rest:
        click.echo(line, err=True)


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """What a failed call says about itself."""
    status, text = error.code().name, error.details() or ""
    call_id = _metadata(error).get("x-request-id", "")
    details = _details(error)
    info = details.get(error_details_pb2.ErrorInfo)
    if info is None:
        reason, advice = _envoys_own(status, text)
        return Refusal(status, reason, text, advice, call_id)
    bad, retry = details.get(error_details_pb2.BadRequest), details.get(error_details_pb2.RetryInfo)
    metadata = dict(info.metadata)
    return Refusal(
        status=status,
        reason=info.reason,
        text=text.removeprefix(f"{info.reason}: "),
        advice=metadata.pop("advice", ""),
        call_id=metadata.pop("call_id", "") or call_id,
        domain=info.domain,
        metadata=metadata,
        violations=tuple((one.field, one.description) for one in bad.field_violations) if bad else (),
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
    )


def _envoys_own(status: str, text: str) -> tuple[str, str]:
    for words, reason, advice in ENVOYS_OWN:
        if words in text:
            return reason, advice
    return UNLISTED.get(status, (status, ""))


def _details(error: grpc.aio.AioRpcError) -> dict[type[Any], Any]:
    failed: Any = error  # it has what `from_call` reads, though the annotation there names the synchronous class
    try:
        status = rpc_status.from_call(failed)
    except ValueError:
        return {}  # details that contradict the status are nobody's we know
    found: dict[type[Any], Any] = {}
    for detail in status.details if status else ():
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
            if detail.Is(kind.DESCRIPTOR):
                found[kind] = kind.FromString(detail.value)
    return found


def _metadata(error: grpc.aio.AioRpcError) -> dict[str, str]:
    found: dict[str, str] = {}
    for metadata in (error.initial_metadata(), error.trailing_metadata()):
        found.update({key: value for key, value in metadata or () if isinstance(value, str)})
    return found
