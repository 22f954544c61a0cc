"""`metip messages backup`: a copy of everything that the exchange keeps, while it goes on."""

import os
from pathlib import Path

import click

from hub.cli import printing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import OK, mark


@click.command(
    epilog="\b\nExamples:\n  metip messages backup --to /backup/exchange-2026-11-25.sqlite\n\n"
    "The copy holds messages in full: keep it where only the hub's own people read it. To go back to one, stop the hub, put the copy in "
    "the place of the file and remove the -wal and -shm files beside it; what was accepted after the copy is gone then, and what was "
    "delivered after it is delivered again."
)
@click.option(
    "--to", "path", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE", help="Write to this file, a new one."
)
@home_option
@json_option
def backup(home: Path, as_json: bool, path: Path) -> None:
    """Copy everything that this hub's exchange keeps, as of one moment, while it goes on.

    Reads the hub's own file, so it runs where the hub runs and needs no hub. With JetStream the truth is the log: back up the stream with
    NATS' own tools.
    """
    source = _file(home)
    if path.exists():
        raise Problem(f"{path} is there already", "name a new file with --to")
    _copy(source, path)
    size = path.stat().st_size
    if as_json:
        printing.print_json({"file": str(path), "bytes": size})
    else:
        click.echo(f"{mark(OK)} {size / 1e6:.1f} MB in {path}")


def _copy(source: Path, path: Path) -> None:
    import apsw

    from hub.exchange.sqlite.reading import copied

    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.touch(mode=0o600)
        copied(source, partial)
        partial.replace(path)
    except OSError as error:
        raise Problem(f"{path} can't be written: {error.strerror}", "name another file with --to") from None
    except apsw.Error as error:
        raise Problem(
            f"{source} can't be copied to {path}: {error}", "see that there is room, and that the file is an exchange's"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _file(home: Path) -> Path:
    """Where the exchange of a home keeps its messages. Raises `Problem` where that is no file of its own."""
    from hub.cli import client

    settings = client.place(home).settings
    if settings.exchange is None:
        raise Problem("this hub takes no messages", "settings of the hub: `exchange`")
    if settings.exchange.WhichOneof("engine") == "jetstream":
        raise Problem(
            f"messages are kept in the stream {settings.exchange.jetstream.stream} of NATS JetStream",
            "back up the stream with NATS' own tools: nats stream backup",
        )
    found = settings.state / (settings.exchange.sqlite.file or "exchange.sqlite")
    if not found.exists():
        raise Problem(f"there is no {found}: the exchange has not run yet", "start the hub first: metip up")
    return found
