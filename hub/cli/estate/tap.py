"""`metip tap`: calls as they end, one to a line, without anything personal."""

import asyncio
import json
import time
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.options import Seconds, home_option, json_option
from hub.cli.printing import FAILED, OK, SKIPPED, clean, count, mark

USUAL: Final = 200


class Status(click.ParamType[int]):
    """A gRPC status by name or number."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Its number."""
        from grpc import StatusCode

        known = {one.name: int(one.value[0]) for one in StatusCode}
        if isinstance(value, int) or str(value).isdigit():
            found = int(value) if int(value) in known.values() else None
        else:
            found = known.get(str(value).upper().replace("-", "_"))
        if found is None:
            self.fail(f"{value!r} is no gRPC status; write one such as OK, NOT_FOUND or 14", param, ctx)
        return found


@click.command(
    epilog="\b\nExamples:\n  metip tap\n  metip tap --operation VehicleEnquiryService --slower 250ms\n"
    "  metip tap --consumer tablet --status UNAVAILABLE --status DEADLINE_EXCEEDED\n  metip tap --errors --json | jq -r .reason\n"
    "  metip tap --count 20 --for 1m\n\n"
    "A line appears up to a second after its call ended. Of what was asked and answered nothing is shown, so there is nothing to mask: "
    "`metip trace ID` tells the story of one call by its id, the last word of a line. Calls that come faster than --most are dropped here, "
    "never held back; how many is said."
)
@click.option(
    "--consumer", "consumers", multiple=True, metavar="TEXT", help="Calls of consumers with this in their SPIFFE ID; may be repeated."
)
@click.option(
    "--operation", "operations", multiple=True, metavar="TEXT", help="Calls of operations with this in their name; may be repeated."
)
@click.option("--system", "systems", multiple=True, metavar="NAME", help="Calls that went to this system; may be repeated.")
@click.option("--status", "statuses", type=Status(), multiple=True, help="Calls that ended with this gRPC status; may be repeated.")
@click.option("--reason", "reasons", multiple=True, metavar="NAME", help="Calls that ended for this reason, such as NOT_GRANTED.")
@click.option("--slower", type=Seconds(), default=None, metavar="TIME", help="Calls that took longer, such as 250ms.")
@click.option("--errors", is_flag=True, help="Calls that Envoy refused or that failed.")
@click.option(
    "--most", type=click.IntRange(1, 2000), default=USUAL, show_default=True, help="At most so many in a second; the rest is dropped."
)
@click.option("--count", "wanted", type=click.IntRange(1), default=None, metavar="NUMBER", help="End after so many calls.")
@click.option("--for", "lasting", type=Seconds(), default=None, metavar="TIME", help="End after that time, such as 1m.")
@home_option
@json_option
def tap(home: Path, as_json: bool, wanted: int | None, lasting: float | None, **said: Any) -> None:
    """Show calls live as they end: whose, of what, how, how long.

    With --json a document to a line. Ends with Ctrl-C, or as --count and --for say, with status 0.
    """
    from hub.cli.estate.asking import asked

    asked(home, as_json, lambda stub: _follow(stub, said, wanted, lasting, as_json=as_json))


async def _follow(stub: Any, said: dict[str, Any], wanted: int | None, lasting: float | None, *, as_json: bool) -> None:
    from hub.cli.estate.asking import following

    left, until = wanted, time.monotonic() + lasting if lasting is not None else None
    async with following(stub.WatchCalls(_request(said))) as answers:
        try:
            async with asyncio.timeout(None if until is None else max(until - time.monotonic(), 0.0)):
                async for answer in answers:
                    for call in answer.calls[:left]:
                        click.echo(json.dumps(document(call), ensure_ascii=False) if as_json else line(call))
                    if answer.dropped:
                        _say_dropped(answer.dropped, said["most"], as_json=as_json)
                    if left is not None:
                        left -= len(answer.calls)
                        if left <= 0:
                            return
        except TimeoutError:
            return


def _request(said: dict[str, Any]) -> Any:
    from metip.estate.v1.estate_service_pb2 import WatchCallsRequest

    request = WatchCallsRequest(
        consumers=said["consumers"],
        operations=said["operations"],
        systems=said["systems"],
        statuses=said["statuses"],
        reasons=[one.upper() for one in said["reasons"]],
        only_errors=said["errors"],
        most_per_second=said["most"],
    )
    if said["slower"] is not None:
        request.slower_than.FromMicroseconds(int(said["slower"] * 1e6))
    return request


def _say_dropped(dropped: int, most: int, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"dropped": dropped}))
    else:
        words = f"{count(dropped, 'call was', 'calls were')} dropped: more than {most} in a second; narrow the filter, or raise --most"
        click.echo(printing.dim(f"… {words}"), err=True)


def line(call: Any) -> str:
    """A call for people."""
    sign = mark(FAILED if call.error else SKIPPED if call.reason else OK)
    consumer = clean(call.consumer.split("/", 3)[-1]) or "(no certificate)"
    operation = clean(call.operation.removeprefix("metip.")) or "(no operation)"
    extra = {2: " delivery", 3: " to compare"}.get(call.kind, "")
    again = f" {call.attempts} attempts" if call.attempts > 1 else ""
    where = f" → {clean(call.system)}" if call.system else ""
    took = f"{call.milliseconds:.0f} ms"
    outcome = clean(call.reason) or "OK"
    return (
        f"{call.at.ToDatetime(tzinfo=UTC):%H:%M:%S.%f}"[:12]
        + f" {sign} {outcome:<18} {took:>8}  {consumer} {operation}{where}{extra}{again}"
        + (f"  {printing.dim(clean(call.call_id))}" if call.call_id else "")
    )


def document(call: Any) -> dict[str, Any]:
    """A call for programs."""
    from metip.estate.v1.seen_call_pb2 import CallKind, CallReach

    return {
        "at": call.at.ToDatetime(tzinfo=UTC).isoformat(timespec="milliseconds"),
        "call_id": call.call_id,
        "consumer": call.consumer,
        "operation": call.operation,
        "system": call.system,
        "status": _status(call),
        "reason": call.reason,
        "error": call.error,
        "milliseconds": call.milliseconds,
        "attempts": call.attempts,
        "reached": CallReach.Name(call.reached).removeprefix("CALL_REACH_").lower(),
        "kind": CallKind.Name(call.kind).removeprefix("CALL_KIND_").lower(),
        "http_status": call.http_status,
        "request_bytes": call.request_bytes,
        "response_bytes": call.response_bytes,
    }


def _status(call: Any) -> str | None:
    from hub.cli.envoy_status import code_name

    return code_name(call.status) if call.HasField("status") else None
