"""`metip ledger prove`: the proof that one record is in the ledger as it was first written, for whoever has the ledger's public key."""

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import printing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import OK, mark

if TYPE_CHECKING:
    from hub.ledger.port import Head, Reader
    from hub.ledger.running import Files


@click.command(
    epilog="\b\nExamples:\n"
    "  metip ledger prove 41                                 print the path from the record to the signed root\n"
    "  metip ledger prove 41 --to proof-41.json              write what `metip ledger verify proof-41.json` checks\n"
    "  metip ledger prove 41 --json\n\n"
    "Reads the ledger itself, so it runs where the hub runs, and needs no hub. What is personal in the record stays sealed."
)
@click.argument("index", type=click.IntRange(0))
@click.option(
    "--to", "path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the proof to this file, a new one."
)
@home_option
@json_option
def prove(home: Path, as_json: bool, index: int, path: Path | None) -> None:
    """Prove that record INDEX is in the ledger as it was first written.

    The proof leads from the record's bytes to the root of the newest checkpoint that the witness cosigned; where it has not cosigned one
    with this record yet, to that of the newest one.
    """
    import apsw

    from hub.ledger import copying
    from hub.ledger.faults import BrokenLedgerError, UnreadyLedgerError

    if path is not None and path.exists():
        raise Problem(f"{path} is there already", "name a new file with --to")
    files = ledger_files(home)
    try:
        with copying.reader(files) as reader:
            found = document(reader, index)
    except (BrokenLedgerError, UnreadyLedgerError, apsw.Error) as error:
        raise Problem(f"the ledger can't be read: {error}", "metip ledger verify names the first bad record") from None
    if path is not None:
        _write(path, json.dumps(found, ensure_ascii=False, indent=1))
    if as_json:
        printing.print_json(found)
    else:
        _show(found)
        if path is not None:
            click.echo(f"{mark(OK)} written to {path}: metip ledger verify {path}")


def document(reader: "Reader", index: int) -> dict[str, Any]:
    """The proof of a record, in the form that the verifier reads. Raises `Problem` for a record that there is not."""
    from hub.ledger import entries, tree

    newest = reader.head()
    if index >= newest.size:
        raise Problem(f"there is no record {index}: the ledger has {newest.size}, from 0", "metip ledger search finds records")
    head, leaf = _head(reader, newest, index), reader.leaves(index, 1)[0]
    one = entries.read(leaf)
    return {
        "format": "metip-ledger-proof/1",
        "checkpoint": head.note,
        "cosigned": head.cosigned,
        "leaves": [
            {
                "index": index,
                "journal": one.journal,
                "position": one.position,
                "leaf": _text(leaf),
                "proof": [_text(node) for node in tree.inclusion(index, head.size, reader.subtree)],
                "particulars": "",
            }
        ],
    }


def ledger_files(home: Path) -> "Files":
    """Where the ledger of a home is kept. Raises `Problem` where there is none."""
    from hub.cli import client
    from hub.ledger import running

    settings = client.place(home).settings
    if settings.ledger is None:
        raise Problem("this hub keeps no ledger", "settings of the hub: `ledger`")
    found = running.files(settings.ledger, settings.folder, settings.state)
    if found.server is None and not found.ledger.exists():
        raise Problem(f"there is no {found.ledger}: the ledger has not run yet", "start the hub first: metip up")
    return found


def _head(reader: "Reader", newest: "Head", index: int) -> "Head":
    cosigned = reader.cosigned()
    return cosigned if cosigned is not None and cosigned.size > index else newest


def _show(found: dict[str, Any]) -> None:
    one, lines = found["leaves"][0], found["checkpoint"].splitlines()
    click.echo(f"{mark(OK)} record {one['index']}, position {one['position']} of journal {one['journal']}, is in {lines[0]}")
    click.echo(f"  leaf  {one['leaf']}")
    for place, node in enumerate(one["proof"], 1):
        click.echo(f"  {place:>4}  {node}")
    click.echo(f"  root  {lines[2]}, signed for {int(lines[1]):,} records, {'cosigned' if found['cosigned'] else 'not cosigned yet'}")


def _write(path: Path, content: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.touch(mode=0o600)
        partial.write_text(f"{content}\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise Problem(f"{path} can't be written: {error.strerror}", "name another file with --to") from None
    finally:
        partial.unlink(missing_ok=True)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
