"""`metip traffic show` and `history`: what is in force, who said so, what was set by hand, and how it came to that."""

from pathlib import Path
from typing import Any

import click

from hub.cli import printing
from hub.cli.exchange.moments import written
from hub.cli.options import home_option, json_option
from hub.cli.printing import OK, WARNED, dim, mark, title
from hub.cli.traffic.asking import TrafficClient, asked
from hub.cli.watching import watch_option


@click.command(
    epilog="\b\nExamples:\n  metip traffic show\n  metip traffic show --watch 5\n  metip traffic show --follow\n"
    "  metip traffic show --json | jq .overrides"
)
@click.option("--follow", is_flag=True, help="Show it again each time something changes, until Ctrl-C.")
@home_option
@json_option
@watch_option
def show(home: Path, as_json: bool, follow: bool) -> None:
    """Show what is in force, who said so and until when, what waits for its time, and what was set by hand in Envoy."""

    async def work(client: TrafficClient) -> None:
        from metip.traffic.v1.traffic_service_pb2 import WatchTrafficRequest

        if not follow:
            _print(await client.overview(), as_json=as_json)
            return
        async for answer in client.follow("WatchTraffic", WatchTrafficRequest()):
            _print(answer.overview, as_json=as_json)

    asked(home, as_json, work)


@click.command(epilog="\b\nExamples:\n  metip traffic history\n  metip traffic history --about ExampleService --limit 5 --json")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many.")
@click.option("--about", default="", metavar="NAME", help="Only what is about this interface, system or consumer.")
@home_option
@json_option
@watch_option
def history(home: Path, as_json: bool, limit: int, about: str) -> None:
    """List changes, newest first: what, by whom, why, and where each stands."""
    from google.protobuf.json_format import MessageToDict

    from metip.traffic.v1.traffic_service_pb2 import ListTrafficChangesRequest

    async def work(client: TrafficClient) -> Any:
        return await client.ask("ListTrafficChanges", ListTrafficChangesRequest(limit=limit, about=about))

    answer = asked(home, as_json, work)
    if as_json:
        printing.print_json(MessageToDict(answer, preserving_proto_field_name=True))
        return
    rows = [
        [str(one.number), written(one.at), _standing(one), printing.clean(one.what), printing.clean(one.because), one.author]
        for one in answer.changes
    ]
    if rows:
        printing.print_table(["no.", "at", "standing", "what", "because", "by"], rows)
    else:
        click.echo("nothing was ever changed here")


def _print(overview: Any, *, as_json: bool) -> None:
    from google.protobuf.json_format import MessageToDict

    if as_json:
        printing.print_json(MessageToDict(overview, preserving_proto_field_name=True, always_print_fields_with_no_presence=True))
        return
    if overview.sharings:
        click.echo(title("Shares"))
        rows = [[one.interface, _weights(one.weights), _by_hand(one)] for one in overview.sharings]
        printing.print_table(["interface", "weights", "in Envoy"], rows)
    _print_settings(overview)
    if overview.overrides:
        click.echo(title("Set by hand in Envoy"))
        for one in overview.overrides:
            sign = mark(WARNED) if one.differs else mark(OK)
            says = f"the hub says {one.said}" if one.said else "the hub says nothing of it"
            click.echo(f"{sign} {one.key} = {one.value} since {written(one.since)}; {says if one.differs else 'as the hub says'}")
        click.echo(dim("  keep: metip traffic adopt --because WORDS; take back: metip traffic reset --because WORDS"))
    if overview.scheduled:
        click.echo(title("Waits for its time"))
        for one in overview.scheduled:
            click.echo(f"- change {one.number} at {written(one.at)}: {printing.clean(one.what)}, {one.author}")
    if not overview.envoy_answers:
        click.echo(f"{mark(WARNED)} Envoy's admin interface does not answer, so what is set by hand now is not known")


def _print_settings(overview: Any) -> None:
    from hub.traffic.previewing import described
    from hub.traffic.words import setting_of

    left = {(one.drain.system, one.drain.instance): one.in_progress for one in overview.drainings}
    others = [one for one in overview.settings if one.setting.WhichOneof("kind") != "shares" or one.change]
    if not others:
        click.echo("Nothing else is set.")
        return
    click.echo(title("Settings"))
    for one in others:
        setting = setting_of(one.setting)
        by = f"change {one.change}, {one.author}, {written(one.since)}" if one.change else one.author
        until = f", until {written(one.until)}" if one.HasField("until") else ""
        drained = one.setting.drain if one.setting.HasField("drain") else None
        calls = f"; {printing.count(left.get((drained.system, drained.instance), 0), 'call')} in progress" if drained is not None else ""
        click.echo(f"- {printing.clean(described(setting))}{calls} {dim(f'({by}{until})')}")


def _weights(weights: Any) -> str:
    return ", ".join(f"{system} {weight}" for system, weight in sorted(weights.items()))


def _by_hand(one: Any) -> str:
    return f"{mark(WARNED)} {_weights(one.in_envoy)}" if dict(one.in_envoy) != dict(one.weights) else "the same"


def _standing(one: Any) -> str:
    from metip.traffic.v1.traffic_service_pb2 import ChangeStanding

    word = ChangeStanding.Name(one.standing).removeprefix("CHANGE_STANDING_").lower().replace("_", " ")
    return f"{word} by {one.undone_by}" if one.undone_by else word
