"""`metip doctor`: one file for support, with everything about an estate and nothing about anybody."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import home_option, json_option
from hub.cli.printing import OK, WARNED, mark

if TYPE_CHECKING:
    from hub.cli.doctor.scrubbing import Scrubber


@click.command(
    epilog="\b\nExamples:\n"
    "  metip doctor\n"
    "  metip doctor --to /tmp/case-4711.tar.gz\n"
    "  metip doctor --json | jq .left_out\n\n"
    "In it: versions, settings, results of `metip check`, Envoy's configuration and counters, registry and history of the mesh, status of "
    "ledger, traffic and migration, deliveries by state, ends of logs, disk, clock, limits; a manifest with each SHA-256. Not in it: "
    "keys, tokens, certificates, messages, records, journals, reasons that people wrote, names and addresses of people and devices. Look "
    "through it before you hand it out: tar tzf FILE."
)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Default: metip-doctor-TIME.tar.gz, here.")
@home_option
@json_option
def doctor(to: Path | None, home: Path, as_json: bool) -> None:
    """Gather a bundle for support: all about this estate, nothing personal, no secret.

    A part that can't be gathered is left out, and the manifest says why; what works is told beside what does not.
    """
    from hub.cli.doctor import looking
    from hub.cli.doctor.bundle import Bundle, there_already
    from hub.cli.doctor.machine import own_version

    bundle = Bundle(scrubber(home), datetime.now(UTC))
    to = to or Path(f"metip-doctor-{bundle.at:%Y%m%dT%H%M%SZ}.tar.gz")
    if to.exists():
        raise there_already(to)
    asyncio.run(looking.look(home, bundle))
    manifest = bundle.manifest(own_version())
    digest = bundle.write(to, manifest)
    if as_json:
        printing.print_json({**manifest, "file": str(to), "sha256": digest})
        return
    printing.print_table(("part", "bytes"), [(one["name"], f"{one['bytes']:,}") for one in manifest["files"]])
    for name, words in manifest["left_out"].items():
        click.echo(f"{mark(WARNED)} left out: {name}: {printing.clean(words)}")
    click.echo(f"{mark(OK)} {to} ({to.stat().st_size:,} bytes), SHA-256 {digest}")


def scrubber(home: Path) -> "Scrubber":
    """What takes out names and folders of this machine."""
    import getpass
    import socket

    from hub.cli.doctor.scrubbing import Scrubber
    from hub.laptop.layout import Home

    where = Home.at(home)
    places = {str(where.run): "<run>", str(where.root): "<home>", str(Path.home()): "~"}
    name = socket.gethostname()
    if name and name != "localhost":
        places[name] = "<host>"
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = ""
    return Scrubber(places, user)
