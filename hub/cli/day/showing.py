"""The report of a day for people: calls, messages, what was not delivered and why, memory, and whether it came off well."""

import click

from hub.cli import printing
from hub.cli.day.accounts import percentile
from hub.cli.day.player import Tally
from hub.cli.day.report import GROWTH, SHARES, Report
from hub.cli.exchange.names import shortened
from hub.cli.printing import FAILED, OK, count, mark, span, title

PERCENTILES = tuple(f"p{share} ms" for share in SHARES)


def show(report: Report) -> None:
    """Prints it."""
    click.echo(title("calls"))
    columns = ("system", "operation", "due", "a second", *PERCENTILES, "answers", "failed")
    printing.print_table(columns, [_call(one, report.took) for one in report.tallies])
    click.echo(f"\n{title('messages')}: accepted = delivered + refused + parked + in doubt + pending; times from acceptance to arrival")
    entries = ("accepted", "delivered", "refused", "parked", "in doubt", "pending", "lost")
    columns = ("subscription", *entries, "a second", *PERCENTILES, "most waiting", "longest wait")
    printing.print_table(columns, _accounts(report))
    if report.waiting:
        click.echo(f"\n{title('not delivered')}, by cause; `metip messages groups` names one of each")
        names = shortened(report.after)
        columns = ("subscription", "state", "status", "reason", "deliveries")
        rows = [(names[one.subscription], one.state, one.status, one.reason, str(number)) for one, number in report.waiting.most_common()]
        printing.print_table(columns, rows)
    click.echo(f"\n{title('memory')}: flat is no more than {GROWTH:.0%} from the middle to the end")
    rows = [
        (f"{mark(OK if one.flat else FAILED)} {name}", _mib(one.start), _mib(one.middle), _mib(one.end), f"{one.growth:+.1%}")
        for name, one in sorted(report.memory.items())
    ]
    printing.print_table(("process", "MiB at the start", "in the middle", "at the end", "growth"), rows)
    for name in report.restarted:
        click.echo(f"{mark(FAILED)} {name} ended on the way and was started again")
    click.echo(f"\n{mark(OK if report.well else FAILED)} {_words(report)}")


def _words(report: Report) -> str:
    calls = sum(sum(one.ends.values()) for one in report.tallies)
    memory = "flat" if report.flat else "not flat"
    head = f"{span(report.simulated)} in {span(report.took)}: {count(calls, 'call')}, {report.failed} failed"
    return f"{head}, {report.lost} lost, {report.pending} pending; memory {memory}"


def _accounts(report: Report) -> list[tuple[str, ...]]:
    names, rows = shortened(report.after), []
    for name, account in report.accounts.items():
        numbers = (report.accepted_of(name), *account.entries.values(), report.lost_of(name))
        if not any(numbers):
            continue
        times = report.delays.get(name, [])
        rows.append(
            (
                names[name],
                *map(str, numbers),
                f"{account.given / report.took:.1f}",
                *(f"{1000 * percentile(times, share / 100):.1f}" for share in SHARES),
                str(report.backlog.most.get(name, 0)),
                span(report.backlog.longest.get(name, 0.0)),
            )
        )
    return rows


def _call(one: Tally, took: float) -> tuple[str, ...]:
    head = (one.traffic.system, one.traffic.operation.name.rpartition(".")[2], str(one.due))
    if one.traffic.template is None:
        return (*head, f"{one.due / took:.1f}", *("" for _ in SHARES), "by its simulator", str(one.given_up or ""))
    ends = ", ".join(f"{number} {status}" for status, number in one.ends.most_common() if status != "OK")
    times = (f"{1000 * one.percentile(share / 100):.1f}" for share in SHARES)
    failed = one.failed + one.given_up
    return (*head, f"{sum(one.ends.values()) / took:.1f}", *times, f"{one.ends['OK']} OK{', ' if ends else ''}{ends}", str(failed or ""))


def _mib(number: int) -> str:
    return f"{number / 2**20:.0f}"
