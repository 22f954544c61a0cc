"""Checks of files alone: identities, contracts, settings and policy. Nothing needs to run for them, and nothing is changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from hub import settings as settings_files
from hub import sources
from hub.access.standing import standing
from hub.cli.findings import CONTRACTS, IDENTITY, SETTINGS, Finding, Section
from hub.cli.messages import Messages, operations
from hub.cli.printing import count
from hub.contracts import Contracts, reviews_due
from hub.contracts.samples import CaseError, case_files, read_case
from hub.identity import Fault, Severity, Store, faults_of, store_faults
from hub.laptop.layout import Home
from metip.settings import SettingsError


def of_identity(home: Home) -> Iterator[Finding]:
    """The authority, the token issuer, and every certificate with its key."""
    section, store, now = Section(IDENTITY), Store(home.identity), datetime.now(UTC)
    if not home.identity.is_dir():
        yield section.wrong(f"there are no identities in {home.identity}", "run `metip up`, which makes them, or put yours there")
        return
    yield from section.faults_or("the authority and the token issuer are sound", map(_told, store_faults(store, now)))
    for name in store.names():
        faults = faults_of(store.certificate(name), store.key(name), store.ca_certificate, now)
        yield from section.faults_or(f"{name}: certificate and key are sound", map(_told, faults))


def _told(fault: Fault) -> tuple[str, str, bool]:
    return fault.problem, fault.fix, fault.severity is Severity.ERROR


def of_contracts(known: Contracts, source: Path | None = None, *, today: date | None = None) -> Iterator[Finding]:
    """Every contract loads and goes on to, and every recorded case speaks of what is loaded. `today` is by the local calendar."""
    section = Section(CONTRACTS)
    words = f"{count(len(known.interfaces), 'interface')} with {count(len(operations(known)), 'operation')} load"
    yield section.right(f"{words}, from {source}" if source else words)
    for fault in known.faults:
        yield section.wrong(f"{fault.element} does not load: it {fault.problem}", fault.fix)
    for review in reviews_due(known, today or date.today()):  # noqa: DTZ011 - due by the local calendar
        yield section.doubtful(str(review), "have it reviewed, then move dpia.review_by; past that date the contract does not load")
    if source is None:
        yield from _cases(section, Messages(known))


def _cases(section: Section, messages: Messages) -> Iterator[Finding]:
    paths, problems = case_files(), []
    for path in paths:
        try:
            read_case(path, messages)
        except CaseError as error:
            problems.append((str(error), "correct the file; metip/cases/v1/case.proto says what a case holds", True))
    yield from section.faults_or(f"{count(len(paths), 'recorded case')} can be read", problems)


def of_settings(home: Home, known: Contracts) -> Iterator[Finding]:
    """The hub's settings, the files they name, and the access policy."""
    section = Section(SETTINGS)
    if not home.hub_settings.exists():
        yield section.wrong(f"there is no {home.hub_settings}", "run `metip up`, which writes it, or name the right --home")
        return
    try:
        read = settings_files.read(home.hub_settings)
    except SettingsError as error:
        yield from section.faults_or("", [(f"{error.source}: {problem}", "correct it in that file", True) for problem in error.problems])
        return
    yield section.right(f"{home.hub_settings.name} can be used")
    try:
        sources.read_edge(read)
        yield section.right("certificate, key, authority and token keys of the edge are there")
    except SettingsError as error:
        yield from section.faults_or(
            "", [(problem, f"put the file there, or correct {home.hub_settings}", True) for problem in error.problems]
        )
    yield from _policy(section, read, known)
    yield from _traffic(section, read, known)


def _traffic(section: Section, read: settings_files.Settings, known: Contracts) -> Iterator[Finding]:
    if read.traffic is None:
        return
    try:
        shares = sources.read_traffic(read, known).shares
    except SettingsError as error:
        yield from section.faults_or("", [(f"{error.source}: {problem}", "correct it in that file", True) for problem in error.problems])
        return
    yield section.right(f"{read.traffic.name} can be used: {count(len(shares), 'share')}")


def _policy(section: Section, read: settings_files.Settings, known: Contracts) -> Iterator[Finding]:
    try:
        now = standing(sources.rules(read), known)
    except SettingsError as error:
        yield from section.faults_or("", [(f"{error.source}: {problem}", "correct it in that file", True) for problem in error.problems])
        return
    name, approved = read.access.name, f", approval {now.number} by {now.by}" if read.approvals.required else ""
    faults = [(f"{name}: {problem}", "correct the name, or drop it", False) for problem in now.idle]
    waits = "`metip access propose`, then somebody else `metip access approve`; what was approved before stays in force"
    faults += [(f"{name} is not in force: {problem}", waits, False) for problem in now.waiting]
    yield from section.faults_or(f"{name} can be used: {count(len(now.policy.grants), 'grant')}{approved}", faults)
