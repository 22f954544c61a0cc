"""`metip traffic shift`, `pin` and `mirror`: which system answers."""

import click

from hub.cli.contexts.guarding import Changing, wet
from hub.cli.options import Problem
from hub.cli.traffic.asking import Changer, change_options, changed, drop, known, put
from hub.cli.traffic.names import consumer_named, interfaces_named, weights_named


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic shift ExampleService example=95 other=5 --because CHG-17\n"
    "  metip traffic shift example other=100 --because CHG-17 --for 30m      all interfaces of a system, for half an hour\n"
    "  metip traffic shift ExampleService --owner --because CHG-17           back to the system that owns it\n"
    "  metip traffic shift example 1.4=90 1.5=10 --versions --because CHG-17 among versions of an adapter",
)
@click.argument("interface")
@click.argument("shares", nargs=-1, metavar="[NAME=WEIGHT]...")
@click.option("--owner", is_flag=True, help="Leave everything to the system that owns it.")
@click.option(
    "--versions", is_flag=True, help="The shares are of versions of the adapter of a system, which is named in place of an interface."
)
@change_options
def shift(changer: Changer, interface: str, shares: tuple[str, ...], owner: bool, versions: bool) -> None:
    """Share the calls of INTERFACE among the systems behind it.

    INTERFACE may be a system, for all its interfaces. A system that is not named gets nothing. Weights need not make a hundred.
    """
    from hub.traffic.settings import Shares, Versions

    if owner == bool(shares):
        raise click.UsageError("give either shares, such as example=95 other=5, or --owner")
    weights = weights_named(shares)
    if versions:
        setting = Versions(interface, weights)
        changed(changer, f"versions of {interface}", drop([setting]) if owner else put([setting]))
        return
    contracts = known()
    names = interfaces_named(interface, contracts)
    if len(names) > 1:  # those of a system behind which all of these stand
        wanted = {system for system, _ in weights}
        names = [
            one
            for one in names
            if contracts.back_ends_of(one) and wanted <= {contracts.interface(one).system, *contracts.back_ends_of(one)}
        ]
        if not names:
            raise Problem(f"no interface of {interface} has those systems behind it", "`metip interfaces` lists who serves what")
    settings = [Shares(one, weights or ((contracts.interface(one).system, 1),)) for one in names]
    what = f"shift {interface} to {', '.join(f'{system}={weight}' for system, weight in weights) or 'its owner'}"
    changed(changer, what, put(settings))


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic pin ExampleService consumer/tablet other --because CHG-17\n"
    "  metip traffic pin ExampleService consumer/tablet --release --because CHG-17",
)
@click.argument("interface")
@click.argument("consumer")
@click.argument("system", required=False)
@click.option("--release", is_flag=True, help="Let the shares hold for it again.")
@change_options
def pin(changer: Changer, interface: str, consumer: str, system: str | None, release: bool) -> None:
    """Send the calls of CONSUMER to INTERFACE to SYSTEM, whatever the shares say.

    INTERFACE may be a system, for all its interfaces behind which SYSTEM stands.
    """
    from hub.cli.client import place
    from hub.traffic.settings import Pin

    if release == bool(system):
        raise click.UsageError("give either a system, or --release")
    contracts = known()
    who = consumer_named(consumer, place(changer.home).settings.trust_domain)
    names = interfaces_named(interface, contracts)
    if len(names) > 1:
        names = [one for one in names if release or system in (contracts.interface(one).system, *contracts.back_ends_of(one))]
    settings = [Pin(one, who, system or "") for one in names]
    changed(
        changer, f"pin {consumer} of {interface} {f'to {system}' if system else 'no longer'}", drop(settings) if release else put(settings)
    )


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip traffic mirror GetExample 1 --cap 1000 --because CHG-17          one call in a hundred, at most 1,000 an hour\n"
    "  metip traffic mirror GetExample 0 --because CHG-17                     no longer",
)
@click.argument("operation")
@click.argument("percent", type=click.FloatRange(0, 100))
@click.option(
    "--again", type=click.FloatRange(0, 100), default=10.0, show_default=True, help="Per cent of samples that ask the primary twice."
)
@click.option("--cap", type=click.IntRange(0), default=0, help="At most so many an hour; 0 for no cap, where the contract allows it.")
@change_options
def mirror(changer: Changer, operation: str, percent: float, again: float, cap: int) -> None:
    """Ask PERCENT of the calls of OPERATION of the other platform too, to compare the answers.

    Only a query, and only as its contract's mirror policy allows. Callers get the answer that they would have had.
    """
    from hub.cli.messages import operation_named
    from hub.traffic.settings import Sampling

    name = operation_named(operation, known()).name
    setting = Sampling(name, round(percent * 10_000), round(again * 10_000), cap)
    changed(changer, f"mirror {percent:g} % of {name}", put([setting]) if percent else drop([setting]))
