"""`metip console`: the console's address, with a sign-in that lasts as long as is asked for, for a browser on this machine."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.cli.options import Problem, Seconds, home_option, json_option

if TYPE_CHECKING:
    from hub.cli.client import Place

ROLE: Final = "operations"
AN_HOUR: Final = 3600.0
LONGEST: Final = 8 * 3600.0
"""Seconds: one shift."""


@click.command(
    epilog="\b\nExamples:\n"
    "  metip console\n"
    "  metip console --role operations-read --lifetime 10m\n"
    "  metip console --role operations --role unmask\n\n"
    "The sign-in is in the address's fragment, which no browser sends anywhere; the page moves it out of sight. Whoever has the\n"
    "address can do until it expires what you can. Where operators sign in with OpenID Connect, the address is all there is to it."
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=(ROLE,),
    show_default=True,
    metavar="ROLE",
    help="What the sign-in may do: operations, operations-read, unmask, ledger-keeper; may be repeated.",
)
@click.option("--lifetime", type=Seconds(), default="1h", show_default=True, help="How long the sign-in lasts, at most 8h.")
@home_option
@json_option
def console(roles: tuple[str, ...], lifetime: float, home: Path, as_json: bool) -> None:
    """Print the console's address with a fresh sign-in in your name, for a browser."""
    from hub.cli.client import place

    if not 1 <= lifetime <= LONGEST:
        raise click.UsageError("--lifetime is one second to eight hours")
    where = place(home)
    if where.settings.console is None:
        raise Problem("this mesh has no console", "start it with `metip up` without --no-console")
    if where.settings.console.HasField("sign_in"):
        shown, until = address(where), ""
    else:
        shown = signed_in_address(where, roles, lifetime)
        until = (datetime.now(UTC) + timedelta(seconds=lifetime)).isoformat(timespec="seconds")
    click.echo(json.dumps({"address": shown, "expires_at": until or None}) if as_json else shown)
    if not as_json:
        click.echo(
            f"signed in as {user()}, {', '.join(roles)}, until {until}; the certificate is of {where.store.ca_certificate}"
            if until
            else f"sign in there; the certificate is of {where.store.ca_certificate}",
            err=True,
        )


def address(where: "Place") -> str:
    """Where the console is."""
    from hub.cli.client import LOOPBACK

    said = where.settings.console
    assert said is not None, "there is a console"
    if said.HasField("sign_in"):
        return f"{said.sign_in.address}/"
    return f"https://{where.settings.edge.address or LOOPBACK}:{said.port}/"


def signed_in_address(where: "Place", roles: tuple[str, ...], lifetime: float = AN_HOUR) -> str:
    """The same with a token for whoever runs this. Raises `Problem` where this home has no issuer."""
    from hub.identity import IdentityError, issue_operator_token
    from hub.mesh.inputs import console_identity

    try:
        token = issue_operator_token(
            where.store,
            user(),
            tuple(roles),
            authorised_party=console_identity(where.settings.trust_domain),
            lifetime=timedelta(seconds=lifetime),
            now=datetime.now(UTC),
        )
    except IdentityError as error:
        raise Problem(error.fault.problem, error.fault.fix) from None
    return f"{address(where)}#token={token}"


def user() -> str:
    """The account of whoever runs this, as it is written down."""
    from hub.cli.ledger.asking import operator

    return operator().rpartition("/")[2]
