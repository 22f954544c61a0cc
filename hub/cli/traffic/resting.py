"""`metip traffic maintain`, `drain`, `pause` and `resume`: who rests, and what callers are told meanwhile."""

import asyncio
import time
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing, wet
from hub.cli.exchange.names import ends, subscription_named
from hub.cli.options import Problem, Seconds
from hub.cli.printing import OK, WARNED, mark
from hub.cli.traffic.asking import Changer, TrafficClient, change_options, changed, drop, known, put
from hub.cli.traffic.names import target_named

POLL: Final = 0.2


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic maintain ExampleService 'The far system is updated until 14:00' --because CHG-17 --for 2h\n"
    "  metip traffic maintain GetExample 'Not available today' --retry-after 10m --because CHG-17\n"
    "  metip traffic resume ExampleService --because CHG-17",
)
@click.argument("target")
@click.argument("text")
@click.option(
    "--retry-after", type=Seconds(), default="60s", show_default=True, metavar="TIME", help="When callers are told to come again."
)
@change_options
def maintain(changer: Changer, target: str, text: str, retry_after: float) -> None:
    """Let Envoy answer calls of TARGET, an interface or an operation, with TEXT.

    Callers get UNAVAILABLE with the reason MAINTENANCE, the text, and when to come again; with --for, also when it is expected to be over.
    """
    from hub.traffic.settings import Maintenance

    name = target_named(target, known())
    until = time.time() + (changer.after or 0.0) + changer.lasting if changer.lasting is not None else 0.0
    changed(changer, f"maintenance of {name}", put([Maintenance(name, text, until, retry_after)]))


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic drain example --text 'Back at 14:00' --because CHG-17\n"
    "  metip traffic drain example --instance example-2 --because 'New version' --wait 1m\n"
    "  metip traffic resume example --because CHG-17",
)
@click.argument("system")
@click.option("--instance", default="", metavar="ID", help="Only this instance, by its id in `metip status`.")
@click.option("--text", default="", metavar="WORDS", help="What callers are told where no other system can answer.")
@click.option("--wait", type=Seconds(), default="30s", show_default=True, metavar="TIME", help="How long to wait for calls in progress.")
@change_options
def drain(changer: Changer, system: str, instance: str, text: str, wait: float) -> None:
    """Give SYSTEM, or one instance of it, no new call, and wait until those in progress have ended.

    Calls go to other systems with a share. Where there is none, callers are told MAINTENANCE. A system's subscriptions rest too.
    """
    from hub.traffic.settings import Drain

    async def then(client: TrafficClient, answer: Any) -> dict[str, Any]:
        return await _ended(client, system, instance, wait, quiet=changer.as_json or bool(changer.after))

    changed(changer, f"drain {instance or system}", put([Drain(system, instance, text)]), then=then)


@click.command(cls=Changing, when=wet, epilog="\b\nExamples:\n  metip traffic pause example:PublishExample --because CHG-17 --for 1h")
@click.argument("subscription")
@change_options
def pause(changer: Changer, subscription: str) -> None:
    """Stop the deliveries of SUBSCRIPTION; what is accepted meanwhile waits."""
    from hub.traffic.settings import Paused

    name = subscription_named(subscription, [one.name for one in known().subscriptions])
    changed(changer, f"pause {name}", put([Paused(name)]))


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n  metip traffic resume ExampleService --because CHG-17\n  metip traffic resume example --because CHG-17\n"
    "  metip traffic resume example-2 --because CHG-17\n  metip traffic resume example:PublishExample --because CHG-17",
)
@click.argument("what")
@change_options
def resume(changer: Changer, what: str) -> None:
    """End maintenance, drains and pauses of WHAT: a system, an instance, an interface, an operation or a subscription."""
    from hub.traffic.settings import Drain, Maintenance, Paused
    from hub.traffic.words import setting_of

    def edits(overview: Any) -> list[Any]:
        found = []
        for one in overview.settings:
            setting = setting_of(one.setting)
            match setting:
                case Maintenance():
                    meant = ends(setting.target.casefold(), what.casefold())
                case Drain():
                    meant = what in ({setting.instance} if setting.instance else {setting.system})
                case Paused():
                    meant = what == setting.subscription or ends(setting.subscription.casefold(), what.casefold())
                case _:
                    meant = False
            if meant:
                found.append(setting)
        if not found:
            raise Problem(f"{what} neither rests nor is in maintenance", "`metip traffic show` says what is in force")
        return drop(found)

    changed(changer, f"resume {what}", edits)


async def _ended(client: TrafficClient, system: str, instance: str, wait: float, *, quiet: bool) -> dict[str, Any]:
    """Waits until nothing is in progress any more, and says how long that took or what is left."""
    began, left = time.monotonic(), 0
    while True:
        found = [one for one in (await client.overview()).drainings if (one.drain.system, one.drain.instance) == (system, instance)]
        left = sum(one.in_progress for one in found)
        took = time.monotonic() - began
        if not left or took >= wait:
            break
        await asyncio.sleep(POLL)
    if not quiet and left:
        click.echo(f"{mark(WARNED)} {printing.count(left, 'call')} still in progress after {printing.span(took)}")
    elif not quiet:
        click.echo(f"{mark(OK)} no call is in progress any more, after {printing.span(took)}")
    return {"drained": not left, "in_progress": left, "waited_seconds": round(took, 3)}
