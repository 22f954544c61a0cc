"""A measurement in words: the same tables for the terminal and for docs/benchmarks.md."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from tests.bench import comparing, traffic
from tests.bench.comparing import Comparison
from tests.bench.console import BUDGET as CONSOLE_BUDGET
from tests.bench.console import Console
from tests.bench.journal import Journalled
from tests.bench.ledger import BUDGET, COLUMNS, Ledger
from tests.bench.ledger import rows as ledger_rows
from tests.bench.measuring import BARE, BUSY, FULL, PLAIN, Measurement
from tests.bench.messages import (
    BATCH,
    EDGE,
    ENGINE_MANY,
    JETSTREAM_MANY,
    JETSTREAM_ONE,
    LOG_MANY,
    LOG_ONE,
    RAW_MANY,
    RAW_ONE,
    UNARY,
    Messages,
)
from tests.bench.mirrored import BUDGET as MIRRORED_BUDGET
from tests.bench.mirrored import NOTHING, Mirrored
from tests.bench.traffic import Changes

ROLES = ("client", "sidecar", "envoy", "python")
SHARE_OF_PLAIN, SHARE_OF_UNRECORDED = 0.7, 0.9
RATE, P99, IN_FLIGHT = 3000.0, 100.0, 100
ADDED_P99, AT_RATE = 3.0, 1000
ACCEPTED, SHARE_OF_RAW, JOURNEY = 3000.0, 0.5, 100.0


def markdown(found: Measurement) -> str:
    """The whole report."""
    return "\n".join(
        (
            *_heading(found),
            *(_rates(found) if found.rows else ()),
            *_budgets(found),
            *(_journal(found.journal) if found.journal else ()),
            *(_where(found) if found.rows else ()),
            *(_messages(found.messages) if found.messages else ()),
            *(_ledger(found.ledger) if found.ledger else ()),
            *(_changes(found.changes) if found.changes else ()),
            *(_comparison(found.comparison) if found.comparison else ()),
            *(_mirrored(found.mirrored) if found.mirrored else ()),
            *(_console(found.console) if found.console else ()),
            *_how(found),
        )
    )


def as_json(found: Measurement) -> dict[str, Any]:
    """The measurement, and the ratios that follow from it."""
    ratios = {load: {"to_envoy": found.ratio(load), "to_bare": found.ratio(load, BARE)} for load in found.loads}
    return (
        asdict(found)
        | {"at": found.at.isoformat(timespec="seconds"), "ratios": ratios, "not_ok": found.not_ok}
        | {"journal_shares": {f"{one.where}, {one.load}": one.share for one in found.journal}}
    )


def _heading(found: Measurement) -> Iterable[str]:
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench`. Figures of one run on one machine: compare within a table, never between machines or days."
    yield ""
    yield f"- {found.at:%d %B %Y, %H:%M} UTC; {found.machine['processor']}; {found.machine['system']}; load generator on the same cores"
    yield f"- {found.machine['software']}"
    yield f"- load average at the end, this benchmark included: {found.machine['load average at the end']}"
    if not found.operation:
        yield ""
        return
    yield f"- a unary query on personal data: request {found.request_bytes} bytes, reply {found.reply_bytes} bytes, answered from memory"
    yield f"- closed loops: {found.generator}; fixed rates: grpc.aio clients in processes of their own, open loop"
    yield ""
    yield "The full path is: mutual TLS 1.3, RBAC by SPIFFE ID and operation, officer token (JWT), access log and statistics in Envoy;"
    yield "decoding, validation, purpose and justification, handler, encoding, a durable record and one log line in the adapter."
    yield ""


def _rates(found: Measurement) -> Iterable[str]:
    yield "## Throughput and latency"
    yield ""
    yield "CPU is in seconds per 1,000 calls. Not OK counts calls without grpc-status 0."
    yield ""
    rows = [
        (
            one.load,
            one.target,
            f"{one.rate:.0f}",
            *(f"{value:.2f}" for value in one.latencies),
            *(f"{one.cpu[role]:.3f}" if role in one.cpu else "-" for role in ROLES),
            str(one.calls),
            str(one.not_ok),
        )
        for load in found.loads
        for one in found.rows
        if one.load == load
    ]
    yield from _table(("load", "path", "calls/s", "p50 ms", "p90 ms", "p99 ms", *ROLES, "calls", "not OK"), rows)
    yield ""
    yield "Throughput of the full path, as a share:"
    yield ""
    shares = [(load, f"{found.ratio(load):.2f}", f"{found.ratio(load, BARE):.2f}") for load in found.loads if "flight" in load]
    yield from _table(("load", "of Envoy + bare server", "of the bare server"), shares)
    yield ""


def _budgets(found: Measurement) -> Iterable[str]:
    yield "## Budgets"
    yield ""
    rows = []
    for load in (f"{BUSY} in flight", f"{IN_FLIGHT} in flight"):
        if load in found.loads:
            share = found.ratio(load)
            rows.append(
                (
                    f"full path at {load}, share of Envoy + bare server",
                    f"{SHARE_OF_PLAIN} or more",
                    f"{share:.2f}",
                    _verdict(share >= SHARE_OF_PLAIN),
                )
            )
    if f"{IN_FLIGHT} in flight" in found.loads:
        full = found.row(FULL, f"{IN_FLIGHT} in flight")
        rows.append((f"full path at {IN_FLIGHT} in flight", f"{RATE:.0f}/s or more", f"{full.rate:.0f}/s", _verdict(full.rate >= RATE)))
        rows.append(("its p99", f"below {P99:.0f} ms", f"{full.latencies[-1]:.1f} ms", _verdict(full.latencies[-1] < P99)))
    if f"{AT_RATE}/s" in found.loads:
        added = found.row(FULL, f"{AT_RATE}/s").latencies[-1] - found.row(BARE, f"{AT_RATE}/s").latencies[-1]
        rows.append(
            (
                f"p99 added to the bare server's at {AT_RATE}/s",
                f"{ADDED_P99:.0f} ms or less",
                f"{added:.1f} ms",
                _verdict(added <= ADDED_P99),
            )
        )
    for one in found.journal:
        if one.load in (f"{BUSY} in flight", f"{IN_FLIGHT} in flight"):
            rows.append(
                (
                    f"{one.where} with the journal at {one.load}, share of without",
                    f"{SHARE_OF_UNRECORDED} or more",
                    f"{one.share:.2f}",
                    _verdict(one.share >= SHARE_OF_UNRECORDED),
                )
            )
    if found.ledger is not None:
        slowest = max((one.p99 for one in found.ledger.speeds if one.name.startswith("subject")), default=0.0)
        words = f"the ledger's search by subject over {found.ledger.records:,} records, p99"
        rows.append((words, f"below {BUDGET * 1000:.0f} ms", f"{slowest * 1000:.1f} ms", _verdict(slowest < BUDGET)))
    if (compared := found.comparison) is not None:
        words = f"below {comparing.BUDGET:.0f} µs"
        rows.append(("comparator, CPU a pair", words, f"{compared.usual:.0f} µs", _verdict(compared.kept)))
    if (said := found.mirrored) is not None:
        p50, _, p99 = said.added
        words = f"a mirrored and compared call at {said.on.load}, added"
        rows.append((f"{words} p50", f"nothing (below {NOTHING} ms)", f"{p50:+.2f} ms", _verdict(said.nothing)))
        rows.append((f"{words} p99", f"below {MIRRORED_BUDGET:.0f} ms", f"{p99:+.2f} ms", _verdict(said.kept)))
    rows.append(("calls that were not OK", "0", str(found.not_ok), _verdict(found.not_ok == 0)))
    yield from _table(("", "budget", "found", ""), rows)
    yield ""


def _verdict(kept: bool) -> str:
    return "kept" if kept else "**missed**"


def _journal(found: Sequence[Journalled]) -> Iterable[str]:
    yield "## The journal"
    yield ""
    yield "With a durable record of each call before its answer, and without, in turns; the adapter's CPU in µs a call. The adapter by"
    yield "itself is asked over one connection, as an Envoy of one thread asks it; in the full path two Envoys and the generator share the"
    yield "other core."
    yield ""
    rows = [
        (
            one.where,
            one.load,
            *(f"{way.rate:.0f}" for way in (one.off, one.on)),
            f"{one.share:.2f}",
            "{:.2f}-{:.2f}".format(*one.between),
            *(f"{way.latencies[0]:.2f}" for way in (one.off, one.on)),
            *(f"{1000 * way.cpu['python']:.0f}" for way in (one.off, one.on)),
        )
        for one in found
    ]
    yield from _table(("", "load", "calls/s off", "on", "share", "half of rounds", "p50 ms off", "on", "adapter µs off", "on"), rows)
    yield ""


def _where(found: Measurement) -> Iterable[str]:
    load = f"{BUSY} in flight" if f"{BUSY} in flight" in found.loads else found.loads[0]
    full, plain = found.row(FULL, load), found.row(PLAIN, load)
    yield "## Where the CPU goes"
    yield ""
    yield f"Microseconds a call at {load}; a thousandth of the table above."
    yield ""
    rows = [
        (role, *(f"{1000 * one.cpu[role]:.0f}" for one in (plain, full)), f"{1000 * (full.cpu[role] - plain.cpu[role]):+.0f}")
        for role in ROLES
    ]
    yield from _table(("process", PLAIN, FULL, "difference"), rows)
    yield ""
    yield "In Envoy, in front of the bare server, found by taking one part off after another from the edge's own configuration:"
    yield ""
    yield from _table(("part", "µs"), [(step.name, f"{step.microseconds:.0f}") for step in found.steps])
    yield ""
    yield "In the adapter, each stage by itself and warm. Together, and with gRPC in between, each finds colder caches and costs more:"
    yield ""
    stages = [(name, f"{value:.1f}") for name, value in found.stages.items()]
    rest = 1000 * (full.cpu["python"] - plain.cpu["python"])
    yield from _table(("stage", "µs"), [*stages, ("adapter above the bare server, as measured", f"{rest:.0f}")])
    yield ""


def _messages(said: Messages) -> Iterable[str]:
    raw = {UNARY: RAW_ONE, EDGE: RAW_ONE, BATCH: RAW_MANY, ENGINE_MANY: RAW_MANY, JETSTREAM_ONE: LOG_ONE, JETSTREAM_MANY: LOG_MANY}
    yield "## Messages"
    yield ""
    yield "Accepted durably, each with a key of its own and about 500 bytes; judged, kept and told in a receipt. Beside it the store"
    yield "alone: one bare insert into one table, as durable; and the log alone: nats-py publishing to the same server."
    yield ""
    rows = [
        (
            one.name,
            f"{one.rate:.0f}",
            f"{one.rate / said.speed(raw[one.name]).rate:.2f}" if one.name in raw else "",
            f"{one.hub:.0f}" if one.hub else "-",
        )
        for one in said.speeds
    ]
    yield from _table(("way", "messages/s", "of the raw one", "hub CPU µs"), rows)
    yield ""
    yield "From the producer's call to the subscriber, through the edge, the disk and Envoy again, at a fixed rate:"
    yield ""
    journeys = [(f"{one.rate}/s", *(f"{value:.1f}" for value in one.latencies), str(one.lost)) for one in said.journeys]
    yield from _table(("rate", "p50 ms", "p90 ms", "p99 ms", "not arrived"), journeys)
    yield ""
    accepted = said.speed(UNARY).rate
    share = said.speed(BATCH).rate / said.speed(RAW_MANY).rate
    logged = said.speed(JETSTREAM_MANY).rate / said.speed(LOG_MANY).rate
    budgets = [
        ("accepted durably, unary", f"{ACCEPTED:.0f}/s or more", f"{accepted:.0f}/s", _verdict(accepted >= ACCEPTED)),
        ("batched, share of the raw store", f"{SHARE_OF_RAW} or more", f"{share:.2f}", _verdict(share >= SHARE_OF_RAW)),
        ("batched on JetStream, share of the raw log", f"{SHARE_OF_RAW} or more", f"{logged:.2f}", _verdict(logged >= SHARE_OF_RAW)),
    ]
    for one in said.journeys:
        p99 = one.latencies[-1]
        budgets.append((f"end to end at {one.rate}/s, p99", f"below {JOURNEY:.0f} ms", f"{p99:.1f} ms", _verdict(p99 < JOURNEY)))
    yield from _table(("", "budget", "found", ""), budgets)
    yield ""


def _ledger(said: Ledger) -> Iterable[str]:
    yield "## The ledger"
    yield ""
    yield f"Searches of a ledger of {said.records:,} records and {said.tokens:,} tokens ({said.bytes / 1e9:.2f} GB), built in bulk:"
    yield "the first page of 100 and its leaves, for one caller. A search by subject has 100 ms, over five million records too"
    yield "(`BENCH_ARGS='--only ledger --ledger-records 5000000'`)."
    yield ""
    yield from _table(COLUMNS, ledger_rows(said))
    yield ""


def _changes(said: Changes) -> Iterable[str]:
    yield "## Changes of traffic"
    yield ""
    yield "From the request to the first call that reaches the system which a change names, under load: recorded in the ledger, kept,"
    yield "compiled, sent to Envoy and acknowledged. Each change gives all calls of an interface to the other of two systems."
    yield ""
    yield from _table(traffic.COLUMNS, traffic.rows(said))
    yield ""
    p99, lost = said.active[-1], said.failed + said.astray
    budgets = [
        (
            "a change of traffic until it is active in Envoy, p99",
            f"below {traffic.BUDGET:.0f} ms",
            f"{p99:.0f} ms",
            _verdict(p99 < traffic.BUDGET),
        ),
        ("calls that failed or went astray meanwhile", "0", str(lost), _verdict(lost == 0)),
    ]
    yield from _table(("", "budget", "found", ""), budgets)
    yield ""


def _comparison(said: Comparison) -> Iterable[str]:
    yield "## The comparator"
    yield ""
    yield "Pairs of answers to a names enquiry, compared and counted in one thread: budget, comparator below 500 µs CPU a pair. Second"
    yield f"answers count to the pair that they belong to. What the figures of the interface cost each time: {said.report / 1000:.1f} ms."
    yield ""
    rows = [(one.name, f"{one.reply_bytes:,}", f"{one.microseconds:.0f}") for one in said.speeds]
    yield from _table(("pairs", "bytes of a reply", "CPU µs a pair"), rows)
    yield ""


def _mirrored(said: Mirrored) -> Iterable[str]:
    yield "## Mirrored calls"
    yield ""
    yield "The full path with the tap off, and with every call asked of another system too, both answers compared, in turns at a fixed"
    yield f"rate: {said.compared:,} pairs were compared, {said.dropped:,} samples dropped. The hub and the other adapter have machines of"
    yield "their own in production; here they get what the path leaves of two cores (SCHED_IDLE), with the tap on and off. What is added is"
    yield "the median of each round's own difference."
    yield ""
    rows = [(one.target, f"{one.rate:.0f}", *(f"{value:.2f}" for value in one.latencies), str(one.not_ok)) for one in (said.off, said.on)]
    added = ("added", "", *(f"{value:+.2f}" for value in said.added), "")
    yield from _table(("way", "calls/s", "p50 ms", "p90 ms", "p99 ms", "not OK"), [*rows, added])
    yield ""


def _console(said: Console) -> Iterable[str]:
    yield "## One operator looks"
    yield ""
    yield f"A hub with {said.interfaces} synthetic interfaces and a log of {said.rate:,.0f} calls a second: what it takes of a core"
    yield f"while nobody looks (the ledger reads the same log), and while one watches map and table: {said.edges:,} edges,"
    yield f"{said.bytes_an_answer / 1000:,.0f} kB to tell what changed in two seconds. Looking may cost {CONSOLE_BUDGET:.0%} of a core."
    yield ""
    kept = "kept" if said.kept else "not kept"
    row = (f"{said.unwatched:.1%}", f"{said.watched:.1%}", f"{said.cost:.1%} ({kept})", f"{said.grown:+.0f} MB", str(said.asked_at_rest))
    yield from _table(("unwatched", "watched", "cost", "memory", "asked of Envoy afterwards"), [row])
    yield ""


def _how(found: Measurement) -> Iterable[str]:
    yield "## How to run it"
    yield ""
    yield "```"
    yield "apt-get install nghttp2-client   # h2load; without it our own generator drives everything"
    yield "make bench                       # all of it; writes this page"
    yield "make bench BENCH_ARGS='--only journal'      # one part; `--help` names them, and nothing is written"
    yield "PYTHONPATH=tests/support .venv/bin/python -m tests.bench --quick     # a minute at most; writes nothing"
    yield "PYTHONPATH=tests/support .venv/bin/python -m tests.bench --json      # the same figures for a program"
    yield "```"
    yield ""
    if not found.command:
        return
    yield "The generator of the closed loops, once for each sample:"
    yield ""
    yield f"```\n{found.command}\n```"
    yield ""
    yield "h2load can't present a client certificate and does not read grpc-status. So an Envoy of the consumer's own (`sidecar`)"
    yield "stands before all three paths, passes bytes on and, before the full path, speaks mutual TLS; OK answers are counted by the"
    yield "bare server and by the edge's statistics. At a fixed rate each latency runs from the time at which the call was due. The"
    yield "server, bare or full, has a core of its own, and the generator, the sidecar and Envoy share the others, on every path. Every"
    yield "figure is the median of rounds in which the three paths took turns, and a share is the median of each round's own share."
    yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """A Markdown table whose columns are aligned, so that it reads well on a terminal too."""
    lines = [tuple(head), *(tuple(one) for one in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for number, line in enumerate(lines):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
