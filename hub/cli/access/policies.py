"""Where a policy can be had from: a file, the home's own, or the hub that runs."""

import asyncio
from pathlib import Path

import click

from hub import sources
from hub.access import reading
from hub.access.reading import Read
from hub.access.standing import standing
from hub.cli.client import HubGoneError, hub_client, place
from hub.cli.options import Problem
from hub.contracts import Contracts
from hub.laptop.layout import TRUST_DOMAIN, Home
from hub.mesh.inputs import Policy
from metip.options.v1.options_pb2 import Purpose
from metip.settings import SettingsError

RUNNING = "running"
REFUSED = 3
"""Exit status: not allowed, or not the same."""


def trust_domain(home: Path) -> str:
    """The trust domain of the home, or the laptop's where there is none."""
    return place(home).settings.trust_domain if Home.at(home).hub_settings.exists() else TRUST_DOMAIN


def of_file(path: Path, contracts: Contracts, domain: str) -> Read:
    """A policy's file. Raises `Problem` with every fault."""
    try:
        return reading.read(reading.content_of(path), contracts, domain, source=str(path))
    except SettingsError as error:
        raise Problem(str(error), "correct it; metip.hub.v1.AccessPolicy says what a policy holds") from None


def in_home(home: Path, contracts: Contracts) -> Policy:
    """The policy that is in force in a home, by its files. Raises `Problem`."""
    try:
        return sources.read_policy(place(home).settings, contracts)
    except SettingsError as error:
        raise Problem(str(error), "correct the policy; `metip check` looks at all settings") from None


def running(home: Path) -> Policy:
    """The policy that the hub has in force. Raises `Problem`."""

    async def ask() -> Policy:
        async with hub_client(place(home)) as hub:
            return reading.policy_of((await hub.mesh()).access.policy)

    try:
        return asyncio.run(ask())
    except HubGoneError as error:
        raise Problem(error.message, "start it with `metip up`, or compare with a file: --against access.yaml") from None


def waiting(home: Path, contracts: Contracts) -> tuple[str, ...]:
    """Why the policy in the home's file is not the one in force; nothing where it is."""
    return standing(sources.rules(place(home).settings), contracts).waiting


def whole_id(text: str, domain: str) -> str:
    """A SPIFFE ID from itself, or from its path in the trust domain."""
    return text if "://" in text else f"spiffe://{domain}/{text.lstrip('/')}"


def purpose_named(text: str) -> str:
    """A purpose from its word in any spelling: `street_stop`, `Street stop`, `PURPOSE_STREET_STOP`. Raises `click.UsageError`."""
    word = text.strip().upper().replace(" ", "_").replace("-", "_").removeprefix(reading.PREFIX)
    known = [name.removeprefix(reading.PREFIX) for name, number in Purpose.items() if number]
    if word not in known:
        raise click.UsageError(f"there is no purpose {text}; there are {', '.join(one.lower() for one in known)}")
    return word
