"""`metip ledger export`: records with their proofs as one signed file, which anybody can check without this hub."""

import base64
import json
import os
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.ledger.asking import Asker, Ledger, asked, asking_options
from hub.cli.ledger.queries import Wanted, query_options
from hub.cli.options import Problem
from hub.cli.printing import OK, mark

FORMAT: Final = "metip-ledger-bundle/1"
ABOUT: Final = (
    "Records of who did what to whose data, handed out from an append-only ledger. Each leaf holds one record in the bytes in which it was "
    "first written; its proof (RFC 6962) leads to the root in the checkpoint, which the ledger signed and, where `cosigned` is there, "
    "a witness too. `signature` is the ledger's over all leaves and particulars, so that none is left out, added or changed. "
    "`record` repeats what a leaf says for reading, and nothing is proved by it. Check the file with `metip ledger verify`, or with "
    "verifier.py alone; get the verifier keys from the force, not from this file."
)


@click.command(
    epilog="\b\nExamples:\n"
    "  metip ledger export --by vrm --since 1y --to case-12.json --token-file token.txt --reason 'Case 12'\n"
    "  metip ledger export --record 41 --record 57 --to case-12.json --token-file token.txt --reason 'Case 12'\n"
    "  metip ledger verify case-12.json --vkey ledger.vkey                        on any machine\n\n"
    "Needs an officer's token with the role ledger-keeper, and for --unmask the role unmask as well. A file is there when it is whole."
)
@query_options
@click.option("--record", "indexes", type=click.IntRange(0), multiple=True, metavar="RECORD", help="This record; may be repeated.")
@click.option("--unmask", is_flag=True, help="Add what is sealed in each record, in clear.")
@click.option(
    "--to", "path", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE", help="Write to this file, a new one."
)
@asking_options
def export(asker: Asker, wanted: Wanted, indexes: tuple[int, ...], unmask: bool, path: Path) -> None:
    """Write the records that a query finds, or that are named, as a signed bundle for a case."""
    from metip.ledger.v1.ledger_service_pb2 import ExportRecordsRequest

    if wanted.empty and not indexes:
        raise click.UsageError("say which records: by --record or by a query")
    if path.exists():
        raise Problem(f"{path} is there already", "name a new file with --to")
    request = ExportRecordsRequest(access=asker.access, indexes=indexes, unmask=unmask)
    if not wanted.empty:
        request.query.CopyFrom(wanted.query())
    bundle = asked(asker, lambda ledger: _bundle(ledger, request))
    _write(path, json.dumps(bundle, ensure_ascii=False, indent=1))
    number = len(bundle["leaves"])
    if asker.as_json:
        printing.print_json({"file": str(path), "records": number, "size": int(bundle["checkpoint"].splitlines()[1])})
    else:
        click.echo(f"{mark(OK)} {printing.count(number, 'record')} in {path}", err=True)


async def _bundle(ledger: Ledger, request: Any) -> dict[str, Any]:
    """The file's content, put together of the parts that the hub sends."""
    found: dict[str, Any] = {"format": FORMAT, "about": ABOUT, "leaves": []}
    async for part in ledger.follow("ExportRecords", request):
        which = part.WhichOneof("part")
        if which == "seal":
            found |= {"made": part.seal.made.ToJsonString(), "checkpoint": part.seal.checkpoint, "cosigned": part.seal.cosigned}
            found["verifier_keys"] = list(part.seal.verifier_keys)
        elif which == "leaf":
            found["leaves"].append(_leaf(part.leaf))
        elif which == "signature":
            found["signature"] = part.signature
    if "signature" not in found:
        raise Problem("the hub sent only a part of the bundle", "ask again")
    return found


def _leaf(one: Any) -> dict[str, Any]:
    from google.protobuf import json_format

    from metip.ledger.v1.entry_pb2 import Entry
    from metip.ledger.v1.record_pb2 import Record

    entry = Entry.FromString(one.leaf)
    record = Record.FromString(entry.record)
    record.ClearField("sealed")
    record.ClearField("key_id")
    return {
        "index": one.index,
        "journal": entry.journal,
        "position": entry.position,
        "record": json_format.MessageToDict(record, preserving_proto_field_name=True),
        "leaf": _text(one.leaf),
        "proof": [_text(node) for node in one.proof],
        "particulars": one.particulars,
    }


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
