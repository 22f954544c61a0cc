"""`metip access propose` and `metip access approve`: four eyes on a change of policy, each with their own key."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.options import Problem, home_option, json_option

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from hub.access.standing import Rules
    from metip.hub.v1.settings_pb2 import AccessApproval

MADE = "Make a key with `openssl genpkey -algorithm ed25519 -out author.key` (mode 0600), its public half with `openssl pkey -pubout`."
KEY = click.option(
    "--key-file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Your Ed25519 private key, PEM; yours alone to read."
)


@click.command(
    cls=Changing, epilog=f"\b\nExample:\n  metip access propose --key-file author.key --reason 'Tablets may ask about vehicles'\n\n{MADE}"
)
@KEY
@click.option("--reason", required=True, help="Why the policy changes, 3 to 250 characters, naming nobody.")
@home_option
@json_option
def propose(key_file: Path, reason: str, home: Path, as_json: bool) -> None:
    """Sign for the policy in the home as its author, and write access.yaml.approval beside it.

    Nothing changes by that: somebody else must approve it. A policy with a problem is not proposed.
    """
    from hub.access import approving, reading
    from hub.access.standing import standing
    from hub.cli.access.policies import of_file
    from hub.cli.messages import contracts
    from metip.settings import SettingsError

    rules, known = _rules(home), contracts()
    name, key = _signer(rules, key_file)
    if idle := of_file(rules.file, known, rules.trust_domain).idle:
        raise Problem("\n".join(idle), "correct the policy, then propose it: `metip access check`")
    try:
        in_force = standing(rules, known)
        content = reading.content_of(rules.file)
    except SettingsError as error:
        raise Problem(str(error), "correct it first") from None
    if approving.digest(content) == in_force.digest:
        raise Problem("that policy is in force already", "change access.yaml first")
    if not 3 <= len(reason) <= 250:
        raise click.UsageError("--reason takes 3 to 250 characters")
    _written(rules, approving.proposed(content, in_force.number + 1, reason, name, key, datetime.now(UTC)), as_json)


@click.command(cls=Changing, epilog=f"\b\nExample:\n  metip access approve --key-file approver.key\n\n{MADE}")
@KEY
@home_option
@json_option
def approve(key_file: Path, home: Path, as_json: bool) -> None:
    """Approve the policy in the home, which somebody else proposed. The hub then puts it in force.

    See first what it changes: `metip access diff access.yaml`.
    """
    from hub.access import approving, reading
    from metip.settings import SettingsError

    rules = _rules(home)
    name, key = _signer(rules, key_file)
    try:
        content = reading.content_of(rules.file)
        proposal = approving.read(approving.beside(rules.file))
        keys = approving.public_keys(rules.approvals, rules.settings_folder)
    except SettingsError as error:
        raise Problem(str(error), "propose it first: `metip access propose`") from None
    if faults := list(approving.faults_of_author(proposal, content, keys)):
        raise Problem("\n".join(faults), "propose it anew: `metip access propose`")
    if proposal.author.name == name:
        raise Problem("its author can't approve it", "let somebody else do it, with a key of their own")
    _written(rules, approving.approved(proposal, name, key, datetime.now(UTC)), as_json)


def _rules(home: Path) -> "Rules":
    from hub import sources
    from hub.cli.client import place

    rules = sources.rules(place(home).settings)
    if not rules.approvals.required:
        raise Problem("this hub's settings demand no approval, so a changed policy is in force at once", "set approvals in hub.yaml")
    return rules


def _signer(rules: "Rules", key_file: Path) -> "tuple[str, Ed25519PrivateKey]":
    from hub.access import approving
    from hub.identity import IdentityError
    from metip.settings import SettingsError

    try:
        key = approving.private_key(key_file)
        name = approving.name_of(key, approving.public_keys(rules.approvals, rules.settings_folder))
    except SettingsError as error:
        raise Problem(str(error), MADE) from None
    except IdentityError as error:
        raise Problem(error.fault.problem, error.fault.fix) from None
    if name is None:
        raise Problem(f"{key_file} is the key of none of the approvers in the settings", "use one that is listed in hub.yaml")
    return name, key


def _written(rules: "Rules", approval: "AccessApproval", as_json: bool) -> None:
    from hub.access import approving
    from hub.identity import IdentityError

    path = approving.beside(rules.file)
    try:
        approving.write(path, approval)
    except IdentityError as error:
        raise Problem(error.fault.problem, error.fault.fix) from None
    document: dict[str, Any] = {
        "file": str(path),
        "digest": approval.digest,
        "number": approval.number,
        "author": approval.author.name,
        "approver": approval.approver.name or None,
    }
    if as_json:
        printing.print_json(document)
    elif approval.approver.name:
        click.echo(f"policy {approval.number} of {approval.author.name} approved by {approval.approver.name}: the hub puts it in force")
    else:
        click.echo(f"policy {approval.number} proposed by {approval.author.name}; somebody else: metip access approve --key-file …")
