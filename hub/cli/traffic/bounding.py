"""`metip traffic limit`, `breaker` and `fault`: how much, and what goes wrong on purpose."""

import click

from hub.cli.contexts.guarding import Changing, wet
from hub.cli.options import Seconds
from hub.cli.traffic.asking import Changer, change_options, changed, drop, known, put
from hub.cli.traffic.names import consumer_named, interface_named, target_named

CONSUMER = click.option("--consumer", default="", metavar="NAME", help="Only calls of this consumer, such as consumer/tablet.")
CLEAR = click.option("--clear", is_flag=True, help="Take it away.")


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic limit ExampleService 200 --because CHG-17                        all consumers together\n"
    "  metip traffic limit ExampleService 20 --burst 50 --consumer consumer/tablet --because CHG-17\n"
    "  metip traffic limit ExampleService --clear --because CHG-17",
)
@click.argument("interface")
@click.argument("rate", type=click.IntRange(1), required=False)
@click.option("--burst", type=click.IntRange(0), default=0, help="Calls at once; 0 for one second of the rate.")
@CONSUMER
@CLEAR
@change_options
def limit(changer: Changer, interface: str, rate: int | None, burst: int, consumer: str, clear: bool) -> None:
    """Let INTERFACE be called RATE times a second, by all consumers together, or by one of them.

    What is more is refused with RESOURCE_EXHAUSTED, TOO_MANY_CALLS. The limit that every consumer has of its own stays.
    """
    from hub.traffic.settings import CallLimit

    if clear == (rate is not None):
        raise click.UsageError("give either a rate, in calls a second, or --clear")
    name = interface_named(interface, known())
    setting = CallLimit(name, rate or 1, _consumer(changer, consumer), burst)
    changed(
        changer,
        f"limit {name} to {rate or 'nothing'}{f' for {consumer}' if consumer else ''}",
        drop([setting]) if clear else put([setting]),
    )


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic breaker ExampleService example --max-requests 50 --because CHG-17\n"
    "  metip traffic breaker ExampleService example --failures 3 --ejected-for 30s --because CHG-17\n"
    "  metip traffic breaker ExampleService example --clear --because CHG-17",
)
@click.argument("interface")
@click.argument("system")
@click.option("--max-requests", type=click.IntRange(0), default=0, help="Calls in progress; 0 for the platform's own bound.")
@click.option("--max-pending", type=click.IntRange(0), default=0, help="Calls that wait for a connection.")
@click.option("--max-connections", type=click.IntRange(0), default=0, help="Connections.")
@click.option("--failures", type=click.IntRange(0), default=0, help="Failures in a row after which an instance is left alone.")
@click.option("--ejected-for", type=Seconds(), default=None, metavar="TIME", help="For how long.")
@CLEAR
@change_options
def breaker(
    changer: Changer,
    interface: str,
    system: str,
    max_requests: int,
    max_pending: int,
    max_connections: int,
    failures: int,
    ejected_for: float | None,
    clear: bool,
) -> None:
    """Bound how much SYSTEM is asked at once for INTERFACE. What is more is refused with UNAVAILABLE."""
    from hub.traffic.settings import Breaker

    name = interface_named(interface, known())
    setting = Breaker(name, system, max_requests, max_pending, max_connections, failures, ejected_for or 0.0)
    if clear == (setting != Breaker(name, system)):
        raise click.UsageError("give either bounds or --clear")
    changed(changer, f"bounds of {system} for {name}", drop([setting]) if clear else put([setting]))


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic fault GetExample --abort UNAVAILABLE --percent 10 --because 'Rehearsal 4' --for 10m\n"
    "  metip traffic fault ExampleService --delay 2s --percent 5 --consumer consumer/tablet --because 'Rehearsal 4'\n"
    "  metip traffic fault GetExample --clear --because 'Rehearsal 4'",
)
@click.argument("target")
@click.option("--delay", type=Seconds(), default=None, metavar="TIME", help="Hold calls back for that time.")
@click.option("--abort", default="", metavar="STATUS", help="End calls with this gRPC status.")
@click.option("--percent", type=click.FloatRange(0, 100), default=100.0, show_default=True, help="Share of the calls.")
@CONSUMER
@CLEAR
@change_options
def fault(changer: Changer, target: str, delay: float | None, abort: str, percent: float, consumer: str, clear: bool) -> None:
    """Hold calls of TARGET, an interface or an operation, back, or end them, on purpose."""
    from hub.traffic.settings import FaultInjection

    if clear == bool(delay or abort):
        raise click.UsageError("give --delay, --abort or both; or --clear")
    name = target_named(target, known())
    setting = FaultInjection(
        name, _consumer(changer, consumer), delay or 0.0, percent if delay else 0.0, abort.upper(), percent if abort else 0.0
    )
    changed(changer, f"fault of {name}{f' for {consumer}' if consumer else ''}", drop([setting]) if clear else put([setting]))


def _consumer(changer: Changer, text: str) -> str:
    from hub.cli.client import place

    return consumer_named(text, place(changer.home).settings.trust_domain)
