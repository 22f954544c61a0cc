"""`metip identity` and `metip token`: certificates and officer tokens for development, and checks of supplied ones.

Only click and quick parts of the standard library are imported here; cryptography and PyJWT (through `hub.identity`)
come in when a command runs, so that `metip --help` stays quick.
"""

import functools
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from hub.cli.contexts.guarding import Changing
from hub.cli.options import home_option, json_option

if TYPE_CHECKING:
    from hub.identity import CertificateFacts, Claims, Fault, IssuedCertificate, Store

P = ParamSpec("P")

_MAX_INPUT = 1 << 16  # characters of a file that is said to be a token
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Duration(click.ParamType[timedelta]):
    """A length of time such as 90s, 30m, 8h or 30d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([0-9]{1,9})([smhd])", value)
        if not match:
            self.fail("write a number and s, m, h or d, such as 90s, 30m, 8h or 30d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _home_and_json(command: Callable[P, None]) -> Callable[P, None]:
    @home_option
    @json_option
    @functools.wraps(command)
    def with_clean_errors(*args: P.args, **kwargs: P.kwargs) -> None:
        with _clean_errors():
            command(*args, **kwargs)

    return with_clean_errors


@click.group(
    epilog="\b\nExamples:\n  metip identity list\n  metip identity check\n  metip identity issue consumer/tablet",
)
def identity() -> None:
    """Issue and check the certificates by which workloads know one another.

    For development: the authority is made on first use and its key stays in this folder. In production put the
    files you are given into the same folders, and use `list`, `show` and `check` on them.
    """


@identity.command(
    cls=Changing,
    epilog="\b\nExamples:\n  metip identity issue consumer/tablet\n"
    "  metip identity issue spiffe://metip.local/edge --name edge --dns localhost --address 127.0.0.1",
)
@click.argument("spiffe_id", metavar="SPIFFE-ID")
@click.option("--name", help="Folder of the certificate; default: the id's path with hyphens.")
@click.option("--lifetime", type=Duration(), default="30d", show_default=True, help="How long it is valid, at most 90d.")
@click.option("--dns", multiple=True, metavar="HOST", help="Also valid for a server of this name; may be repeated.")
@click.option("--address", multiple=True, metavar="IP", help="Also valid for a server at this address; may be repeated.")
@click.option("--new-key", is_flag=True, help="Change the key too; otherwise an existing one is kept.")
@_home_and_json
def issue(
    spiffe_id: str,
    name: str | None,
    lifetime: timedelta,
    dns: tuple[str, ...],
    address: tuple[str, ...],
    new_key: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Issue a certificate for a workload, or replace the one it has.

    SPIFFE-ID is the whole id (spiffe://metip.local/consumer/tablet) or its path alone, which then is in this
    authority's trust domain. The authority is made if there is none.
    """
    from hub import identity as identities

    store = _store(home)
    _ensure(store)
    if "://" not in spiffe_id:
        spiffe_id = f"spiffe://{store.trust_domain()}/{spiffe_id}"
    issued = identities.issue(store, spiffe_id, name=name, lifetime=lifetime, dns=dns, addresses=address, new_key_too=new_key)
    _print(
        as_json,
        _record(issued),
        [
            f"{issued.name}: {issued.spiffe_id}",
            f"  certificate  {issued.certificate_path}",
            f"  key          {issued.key_path}",
            f"  valid until  {_time(issued.not_after)}",
        ],
    )


@identity.command("list", epilog="\b\nExamples:\n  metip identity list\n  metip identity list --json")
@_home_and_json
def list_identities(home: Path, as_json: bool) -> None:
    """List the certificates of this folder and how long they last."""
    from hub.identity import IdentityError, describe

    store, now = _store(home), datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for name in store.names():
        try:
            rows.append({"name": name, **_facts(describe(store.certificate(name), now), now)})
        except IdentityError as error:
            rows.append({"name": name, "fault": _fault(error.fault)})
    width = max((len(row["name"]) for row in rows), default=0)
    lines = [
        f"{row['name']:{width}}  "
        + (
            f"{row['days_left']:4} days left{' (renew)' if row['needs_renewal'] else ''}  {' '.join(row['spiffe_ids'])}"
            if "fault" not in row
            else f"unusable: {row['fault']['problem']}"
        )
        for row in rows
    ]
    _print(as_json, {"identities": rows}, lines or [f"no certificates in {store.directory}: metip identity issue --help"])


@identity.command(epilog="\b\nExample:\n  metip identity show consumer-tablet --json")
@click.argument("name")
@_home_and_json
def show(name: str, home: Path, as_json: bool) -> None:
    """Show what the certificate NAME says."""
    from hub.identity import describe

    store, now = _store(home), datetime.now(UTC)
    facts = _facts(describe(store.certificate(name), now), now)
    _print(as_json, {"name": name, **facts}, [name, *(f"  {line}" for line in _aligned(facts))])


@identity.command(epilog="\b\nExamples:\n  metip identity check\n  metip identity check edge consumer-tablet --within 14d")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--within", type=Duration(), help="Warn of what expires within this time; default: 30d, or the last third of a shorter life.")
@_home_and_json
def check(names: tuple[str, ...], within: timedelta | None, home: Path, as_json: bool) -> None:
    """Check certificates, keys, authority and token issuer; say what is wrong and how to mend it.

    Without names everything in the folder is checked. Ends with status 1 if there is an error, 0 with warnings only.
    """
    from hub.identity import Severity, faults_of, store_faults

    store, now = _store(home), datetime.now(UTC)
    found = {} if names else {"store": store_faults(store, now)}
    for name in names or store.names():
        found[name] = faults_of(store.certificate(name), store.key(name), store.ca_certificate, now, within=within)
    lines = []
    for name, faults in found.items():
        lines.append(f"{name}: {'sound' if not faults else ''}".rstrip())
        for fault in faults:
            lines += [f"  {fault.severity.lower()}: {fault.problem}", f"    fix: {fault.fix}"]
    _print(as_json, {name: [_fault(fault) for fault in faults] for name, faults in found.items()}, lines)
    if any(fault.severity is Severity.ERROR for faults in found.values() for fault in faults):
        sys.exit(1)


@click.group(epilog="\b\nExamples:\n  metip token issue 100001XX --unit CO10 --consumer consumer/tablet\n  metip token show < officer.jwt")
def token() -> None:
    """Issue and show officer tokens, which say who is behind a call (development only)."""


@token.command(
    "issue",
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  TOKEN=$(metip token issue 100001XX --unit CO10 --role response --consumer consumer/tablet)\n"
    "  metip token issue 100001XX --unit CO10 --consumer consumer/tablet --lifetime 30m --json",
)
@click.argument("warrant_number", default="100001XX")
@click.option(
    "--consumer",
    default="consumer/developer",
    show_default=True,
    metavar="SPIFFE-ID",
    help="The consumer that may present it: an id or its path.",
)
@click.option("--unit", default="CO10", show_default=True, help="The officer's unit.")
@click.option("--force", metavar="CODE", default="01", show_default=True, help="Two-digit force code.")
@click.option("--role", "roles", multiple=True, help="A role the officer holds; may be repeated.")
@click.option("--audience", default="metip", show_default=True, help="Whom the token is for.")
@click.option("--lifetime", type=Duration(), default="8h", show_default=True, help="How long it is valid, at most 24h.")
@_home_and_json
def issue_officer_token(
    warrant_number: str,
    consumer: str,
    unit: str,
    force: str,
    roles: tuple[str, ...],
    audience: str,
    lifetime: timedelta,
    home: Path,
    as_json: bool,
) -> None:
    """Issue a token for the officer WARRANT_NUMBER; without one, for an invented officer, to be presented by the developer.

    Only the token goes to standard output, so that $(metip token issue …) is the token; what it says goes to
    standard error, without the warrant number, because that output ends in logs.
    """
    from hub.identity import Officer, inspect_token, issue_token

    store, now = _store(home), datetime.now(UTC)
    _ensure(store)
    if "://" not in consumer:
        consumer = f"spiffe://{store.trust_domain()}/{consumer}"
    officer = Officer(warrant_number, force, unit, roles)
    text = issue_token(store, officer, audience=audience, authorised_party=consumer, lifetime=lifetime, now=now)
    claims = inspect_token(store, text, now.replace(microsecond=0), audience=audience)
    _print(as_json, {"token": text, "token_id": claims.token_id, "expires_at": claims.expires_at}, [text])
    click.echo(
        f"token {claims.token_id} for {claims.authorised_party}, audience {audience}, force {claims.force}, unit "
        f"{claims.unit}, roles {', '.join(claims.roles) or 'none'}, until {_time(claims.expires_at)}",
        err=True,
    )


@token.command(
    "show",
    epilog="\b\nExamples:\n  metip token show < token.txt\n"
    "  metip token issue 100001XX --unit CO10 --consumer consumer/tablet | metip token show --json",
)
@click.argument("file", nargs=-1, metavar="[FILE]")
@click.option("--audience", default="metip", show_default=True, help="Whom the token must be for.")
@_home_and_json
def show_officer_token(file: tuple[str, ...], audience: str, home: Path, as_json: bool) -> None:
    """Verify a token from FILE or standard input and show what it says; a refused one ends with status 1."""
    from hub.identity import inspect_token

    store = _store(home)
    claims = inspect_token(store, _token_text(file), datetime.now(UTC), audience=audience)
    facts = _record(claims)
    _print(as_json, facts, _aligned(facts))


def _token_text(file: tuple[str, ...]) -> str:
    if not file:
        if sys.stdin.isatty():
            raise click.UsageError("give the token on standard input or in a file")
        return sys.stdin.buffer.read(_MAX_INPUT).decode("ascii", "replace").strip()
    try:
        (path,) = file
        with Path(path).open(encoding="ascii", errors="replace") as opened:
            return opened.read(_MAX_INPUT).strip()
    except (OSError, ValueError):
        # The argument may be the token itself, so it isn't repeated.
        raise click.UsageError(
            "the argument is the name of one file; a token on the command line could be read by every user of this machine, so pipe it in"
        ) from None


@contextmanager
def _clean_errors() -> Iterator[None]:
    from hub.identity import IdentityError, TokenError

    try:
        yield
    except (IdentityError, TokenError) as error:
        raise click.ClickException(str(error)) from error


def _store(home: Path) -> "Store":
    from hub.identity import Store

    return Store(home / "identity")


def _ensure(store: "Store") -> None:
    created = store.ensure().created
    if created:
        click.echo(f"made {', '.join(created)} in {store.directory}", err=True)


def _facts(facts: "CertificateFacts", now: datetime) -> dict[str, Any]:
    from hub.identity import needs_renewal

    return {**_record(facts), "needs_renewal": needs_renewal(facts, now)}


def _record(value: "CertificateFacts | IssuedCertificate | Claims") -> dict[str, Any]:
    from dataclasses import asdict  # with `inspect` behind it, a tenth of the time that --help may take

    return asdict(value)


def _fault(fault: "Fault") -> dict[str, str]:
    return {
        "severity": fault.severity.value,
        "reason": fault.reason.value,
        "problem": fault.problem,
        "fix": fault.fix,
    }


def _aligned(facts: dict[str, Any]) -> list[str]:
    width = max(map(len, facts))
    return [
        f"{key.replace('_', ' '):{width}}  {', '.join(value) if isinstance(value, tuple) else _time(value)}" for key, value in facts.items()
    ]


def _time(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else str(value)


def _print(as_json: bool, document: dict[str, Any], lines: list[str]) -> None:
    if as_json:
        click.echo(json.dumps(document, default=_plain, indent=2))
    else:
        for line in lines:
            # A certificate may hold characters that a terminal obeys.
            click.echo("".join(character if character.isprintable() else "?" for character in line))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
