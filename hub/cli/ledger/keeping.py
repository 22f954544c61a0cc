"""`metip ledger erase` and `rotate-key`: what is personal goes when its time is over, and keys are replaced."""

from datetime import datetime
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing, wet
from hub.cli.exchange.moments import Moment
from hub.cli.ledger.asking import Asker, asked, asking_options
from hub.cli.printing import OK, WARNED, mark

KEYS: Final = ("index", "sealing", "signing")


@click.command(
    cls=Changing,
    when=wet,
    epilog="\b\nExamples:\n"
    "  metip ledger erase --before 2020-12-01 --dry-run --reason 'Monthly look'\n"
    "  metip ledger erase --before 2020-12-01 --token-file token.txt --reason 'Retention schedule, line 12'\n\n"
    "Whole months of an interface are erased that ended before that day and whose time, by retention.yaml, is over: their keys are "
    "destroyed and their rows leave the blind index, so that nobody finds or opens them again. The records' leaves stay, and the ledger "
    "verifies as before. Needs an officer's token with the role ledger-keeper; a dry run needs none. docs/ledger.md says more.",
)
@click.option("--before", type=Moment(), required=True, metavar="DAY", help="Of months that ended before this day, such as 2020-12-01.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@asking_options
def erase(asker: Asker, before: datetime, dry_run: bool) -> None:
    """Erase what is personal in records whose time is over; the ledger still verifies."""
    from metip.ledger.v1.ledger_service_pb2 import EraseRecordsRequest

    request = EraseRecordsRequest(access=asker.access, dry_run=dry_run)
    request.before.FromDatetime(before)
    reply = asked(asker, lambda ledger: ledger.ask("EraseRecords", request))
    if asker.as_json:
        printing.print_json(_document(reply, dry_run))
        return
    if not reply.erasures:
        click.echo("nothing is due")
        return
    rows = [(one.interface, one.month, str(one.keys), str(one.records), "" if dry_run else str(one.tokens)) for one in reply.erasures]
    printing.print_table(("interface", "month", "keys", "records", "index rows"), rows)
    total = printing.count(sum(one.records for one in reply.erasures), "record")
    click.echo(f"{mark(OK)} {total} {'would be' if dry_run else 'are'} erased", err=True)
    for name in reply.left_in_journals:
        click.echo(f"{mark(WARNED)} journal {name} still holds a copy of a key, until it is pruned", err=True)


def _document(reply: Any, dry_run: bool) -> dict[str, Any]:
    names = ("interface", "month", "keys", "records", "tokens")
    erasures = [{name: getattr(one, name) for name in names} for one in reply.erasures]
    return {"dry_run": dry_run, "erasures": erasures, "left_in_journals": list(reply.left_in_journals)}


@click.command(
    "rotate-key",
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip ledger rotate-key index --token-file token.txt --reason 'Yearly change'\n"
    "  metip ledger rotate-key signing --token-file token.txt --reason 'Yearly change' --json\n\n"
    "Searches look under every index key, sealed records open with the key that they were sealed for, and old checkpoints are checked "
    "with the key that signed them. Give a new signing key's public half to everybody who checks. Needs the role ledger-keeper.",
)
@click.argument("key", type=click.Choice(KEYS))
@asking_options
def rotate_key(asker: Asker, key: str) -> None:
    """Put a new KEY in use: index, sealing or signing."""
    from metip.ledger.v1 import ledger_service_pb2 as api

    request = api.RotateKeyRequest(access=asker.access, key=api.LedgerKey.Value(f"LEDGER_KEY_{key.upper()}"))
    reply = asked(asker, lambda ledger: ledger.ask("RotateKey", request))
    if asker.as_json:
        printing.print_json({"key": key, "number": reply.number, "verifier_key": reply.verifier_key})
        return
    click.echo(f"{mark(OK)} {key} key {reply.number} is in use; older ones still serve what they made")
    if reply.verifier_key:
        click.echo(f"  verifier key  {reply.verifier_key}")
