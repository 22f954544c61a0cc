"""`metip envoy status`: what Envoy itself knows: clusters, hosts and their health, calls by operation; and how to ask it for more."""

import asyncio
import re
import shlex
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import printing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import FAILED, OK, SKIPPED, WARNED, mark
from hub.cli.watching import watch_option

if TYPE_CHECKING:
    from hub.mesh.admin import Admin, Host

FILTER: Final = r"^cluster[.].*([.]grpc[.].*[.]([0-9]+|total)|[.]upstream_rq_(retry|pending_overflow|time))$"
OPERATION: Final = re.compile(r"cluster\.(?P<cluster>.+?)\.grpc\.(?P<interface>.+)\.(?P<method>[^.]+)\.(?P<code>[0-9]+|total)")
COUNTER: Final = re.compile(r"cluster\.(?P<cluster>.+)\.upstream_rq_(?P<what>retry|pending_overflow)")
QUANTILES: Final = re.compile(r"cluster\.(?P<cluster>.+)(?<!external)(?<!internal)\.upstream_rq_time: (?P<quantiles>.*)")
QUANTILE: Final = re.compile(r"P([0-9.]+)\([^,]*,([^)]*)\)")
ASK: Final = (
    ("what each cluster's hosts are and how they fare", "GET", "/clusters"),
    ("counters that were ever used", "GET", "/stats?usedonly"),
    ("the whole configuration as Envoy has it", "GET", "/config_dump"),
    ("certificates in use and when they end", "GET", "/certs"),
    ("say more in the log about connections", "POST", "/logging?connection=debug"),
    ("set counters back to zero", "POST", "/reset_counters"),
    ("let no new call in, end those in progress", "POST", "/drain_listeners?graceful"),
)
"""What operations ask Envoy for most: words, method, page."""


@dataclass
class Counts:
    """Calls of one interface since Envoy started."""

    calls: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    overflowed: int = 0
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Time of an answer by quantile, `50` and `99` among them."""

    @property
    def refused(self) -> int:
        """Calls that ended with another status than OK."""
        return sum(times for code, times in self.codes.items() if code)


@click.group(epilog="\b\nExample:\n  metip envoy status")
def envoy() -> None:
    """Show what Envoy knows: clusters, hosts, health, counts."""


@envoy.command(
    epilog="\b\nExamples:\n  metip envoy status\n  metip envoy status --json\n\nEnds with status 1 if a host is ejected or unhealthy."
)
@home_option
@json_option
@watch_option
def status(home: Path, as_json: bool) -> None:
    """Show Envoy's clusters, hosts, health, calls by interface, and the admin pages to ask."""
    from hub.cli.client import place
    from hub.mesh.admin import EnvoyGoneError

    where = place(home)
    try:
        version, hosts, stats = asyncio.run(_ask(where.admin))
    except EnvoyGoneError as error:
        raise Problem(str(error), f"start it with `metip up`; its log is {where.home.log('envoy')}") from None
    counts = counts_of(stats)
    if as_json:
        printing.print_json(document(version, hosts, counts))
    else:
        click.echo(f"{mark(OK)} Envoy {version}, admin interface at {where.home.admin_socket}\n")
        printing.print_table(("cluster", "host", "health", "calls", "refused", "retries", "p50", "p99"), list(_rows(hosts, counts)))
        _print_operations(counts)
        _print_pages(where.home.admin_socket)
    if any(not host.healthy for those in hosts.values() for host in those):
        click.get_current_context().exit(1)


async def _ask(admin: "Admin") -> "tuple[str, dict[str, tuple[Host, ...]], str]":
    return await admin.version(), await admin.hosts(), await admin.get(stats_page())


def stats_page() -> str:
    """The page of Envoy's admin interface that `counts_of` reads."""
    from urllib.parse import quote

    return f"/stats?filter={quote(FILTER)}"


def counts_of(stats: str) -> dict[str, Counts]:
    """Counts by cluster from the text of Envoy's `/stats`."""
    found: dict[str, Counts] = {}
    for line in stats.splitlines():
        name, _, value = line.partition(": ")
        if match := OPERATION.fullmatch(name):
            counts = found.setdefault(match["cluster"], Counts())
            if match["code"] == "total":
                counts.operations[f"{match['interface']}/{match['method']}"] += int(value)
                counts.calls += int(value)
            else:
                counts.codes[int(match["code"])] += int(value)
        elif match := COUNTER.fullmatch(name):
            counts = found.setdefault(match["cluster"], Counts())
            counts.retries, counts.overflowed = (
                (int(value), counts.overflowed) if match["what"] == "retry" else (counts.retries, int(value))
            )
        elif match := QUANTILES.fullmatch(line):
            quantiles = {place: float(total) for place, total in QUANTILE.findall(match["quantiles"])}
            found.setdefault(match["cluster"], Counts()).milliseconds = quantiles
    return found


def code_name(code: int) -> str:
    """A gRPC status by name."""
    from grpc import StatusCode

    return next((status.name for status in StatusCode if status.value[0] == code), str(code))


def _rows(hosts: "dict[str, tuple[Host, ...]]", counts: dict[str, Counts]) -> "list[tuple[str, ...]]":
    rows = []
    for cluster in sorted(hosts):
        count = counts.get(cluster, Counts())
        times = [f"{count.milliseconds[place]:.0f} ms" if place in count.milliseconds else "" for place in ("50", "99")]
        told = (str(count.calls), str(count.refused), str(count.retries), *times)
        those = hosts[cluster]
        if not those:
            rows.append((f"{mark(SKIPPED)} {cluster}", "none", "nobody serves it", *told))
        for place, host in enumerate(those):
            state, words = health_of(host)
            rows.append((f"{mark(state)} {cluster}", host.address, words, *(told if place == 0 else [""] * len(told))))
    return rows


def health_of(host: "Host") -> tuple[str, str]:
    """A host's health as a mark and in words."""
    if host.ejected:
        return WARNED, "ejected: it failed too often"
    return (OK, "healthy") if host.healthy else (FAILED, "fails its health check")


def _print_operations(counts: dict[str, Counts]) -> None:
    called = sum((one.operations for one in counts.values()), Counter[str]())
    rows = [(operation, str(times)) for operation, times in sorted(called.items())]
    if rows:
        click.echo()
        printing.print_table(("operation", "calls"), rows)
    refused: Counter[int] = Counter()
    for one in counts.values():
        refused.update({code: times for code, times in one.codes.items() if code and times})
    if refused:
        words = ", ".join(f"{times} {code_name(code)}" for code, times in refused.most_common())
        click.echo(f"\nended otherwise than well: {words}")


def _print_pages(socket: Path) -> None:
    click.echo("\nask Envoy itself:")
    lines = []
    for words, method, page in ASK:
        verb = "-X POST " if method == "POST" else ""
        lines.append(
            (f"curl -s {verb}--unix-socket {shlex.quote(str(socket))} {shlex.quote(f'http://envoy{page}')}", printing.dim(f"# {words}"))
        )
    for line in printing.aligned(lines, indent="  "):
        click.echo(line)


def document(version: str, hosts: "dict[str, tuple[Host, ...]]", counts: dict[str, Counts]) -> dict[str, Any]:
    """All of it as JSON."""
    return {
        "version": version,
        "clusters": [
            {
                "name": cluster,
                "hosts": [{"address": host.address, "healthy": host.healthy, "ejected": host.ejected} for host in hosts[cluster]],
                "calls": one.calls,
                "statuses": {code_name(code): times for code, times in sorted(one.codes.items())},
                "operations": dict(one.operations),
                "retries": one.retries,
                "overflowed": one.overflowed,
                "milliseconds": {f"p{place}": time for place, time in one.milliseconds.items()},
            }
            for cluster in sorted(hosts)
            for one in [counts.get(cluster, Counts())]
        ],
    }
