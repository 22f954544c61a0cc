"""`metip ledger verify`: is every record as it was signed? The stand-alone verifier, with the keys and the witness of a home at hand."""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import FAILED, OK, WARNED, mark

if TYPE_CHECKING:
    from hub.ledger.running import Files
    from hub.ledger.verifier import Key


@click.command(
    epilog="\b\nExamples:\n"
    "  metip ledger verify                                              the ledger of this home, against what its witness knows\n"
    "  metip ledger verify copy.sqlite --vkey ledger.vkey               a copy, anywhere\n"
    "  metip ledger verify case-12.json --vkey ledger.vkey --witness-vkey witness.vkey\n"
    "  metip ledger verify proof-41.json --json\n\n"
    "Ends with 0 if all is as it was signed, 1 if not (the first bad record is named), 2 if there is nothing to verify. The file "
    "hub/ledger/verifier.py does the same on a machine that has nothing else of MetIP."
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--vkey", "keys", multiple=True, metavar="KEY", help="Verifier key of the ledger, or a file of them. Default: the home's.")
@click.option("--witness-vkey", "witnesses", multiple=True, metavar="KEY", help="Verifier key of the witness, or a file of them.")
@click.option("--known", type=click.Path(dir_okay=False, path_type=Path), multiple=True, help="A checkpoint that you have from elsewhere.")
@home_option
@json_option
def verify(
    home: Path, as_json: bool, file: Path | None, keys: tuple[str, ...], witnesses: tuple[str, ...], known: tuple[Path, ...]
) -> None:
    """Verify the ledger of this home, or FILE: a copy of a ledger, a bundle or a proof.

    Every record is checked: its place, its journal's chain, the tree, every signature. What was cut off at the end shows against what the
    witness remembers, or against a checkpoint that you kept.
    """
    from hub.ledger import verifier
    from hub.ledger.faults import BrokenLedgerError, UnreadyLedgerError

    own = _Home(home)
    try:
        trusted = verifier.keys(keys or own.keys())
        cosigners = verifier.keys(witnesses or (() if keys else own.witness_keys()))
        elsewhere = [_known(one, trusted) for one in known]
        if file is None:
            elsewhere += own.remembered(trusted)
        with nullcontext(file) if file is not None else own.ledger() as found:
            report = verifier.verify(found, trusted, cosigners, known=elsewhere)
    except (BrokenLedgerError, UnreadyLedgerError) as error:
        raise Problem(f"the ledger can't be read: {error}") from None
    except verifier.UnverifiableError as error:
        click.echo(f"{mark(FAILED)} {error}", err=True)
        raise click.exceptions.Exit(2) from None
    if as_json:
        printing.print_json(asdict(report))
    else:
        click.echo(f"{mark(OK if report.verified else FAILED)} {verifier.told(report)}")
    if not report.verified:
        click.get_current_context().exit(1)


class _Home:
    """What of a home helps to verify, by the settings of its hub; looked up only when it is needed."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def ledger(self) -> AbstractContextManager[Path]:
        """Its ledger as a file: of one that a server keeps, a copy."""
        from hub.cli.ledger.proving import ledger_files
        from hub.ledger import copying

        return copying.as_file(ledger_files(self._home))

    def keys(self) -> tuple[str, ...]:
        """Its ledger's public keys."""
        from hub.ledger import signing

        return (str(self._files.keys / signing.FOLDER / signing.LEDGER.public),)

    def witness_keys(self) -> tuple[str, ...]:
        """Its witness's public keys, if it has one."""
        path = self._files.witness
        return (str(path),) if path is not None and path.exists() else ()

    def remembered(self, trusted: "list[Key]") -> list[tuple[str, int, bytes]]:
        """The checkpoint that its witness remembers; none, said on standard error, where no witness answers."""
        import grpc

        from hub.ledger import verifier

        socket = self._files.witness_socket
        try:
            note = asyncio.run(_asked(socket, trusted[-1].name)) if socket is not None else None
        except grpc.RpcError:
            note = None
        if note is None:
            click.echo(f"{mark(WARNED)} no witness answers: what was cut off at the end would not show", err=True)
        if not note:
            return []
        try:
            return [verifier.opened_checkpoint(note, trusted)]
        except verifier.BadError as error:
            raise Problem(f"the witness remembers a checkpoint that this ledger's keys did not sign: {error}") from None

    @cached_property
    def _files(self) -> "Files":
        from hub.cli import client
        from hub.ledger import running

        settings = client.place(self._home).settings
        if settings.ledger is None:
            raise Problem("this hub keeps no ledger", "name a file, and its keys with --vkey")
        return running.files(settings.ledger, settings.folder, settings.state)


async def _asked(socket: Path, origin: str) -> str:
    import grpc

    from metip.ledger.v1.witness_service_pb2 import GetCheckpointRequest, GetCheckpointResponse
    from metip.ledger.v1.witness_service_pb2_grpc import WitnessServiceStub

    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        found: GetCheckpointResponse = await WitnessServiceStub(channel).GetCheckpoint(GetCheckpointRequest(origin=origin), timeout=5)
        return found.checkpoint


def _known(path: Path, trusted: "list[Key]") -> tuple[str, int, bytes]:
    from hub.ledger import verifier

    try:
        return verifier.opened_checkpoint(path.read_text(encoding="utf-8"), trusted)
    except (OSError, UnicodeDecodeError, verifier.BadError) as error:
        raise verifier.UnverifiableError(f"{path} is no checkpoint of the ledger: {error}") from None
