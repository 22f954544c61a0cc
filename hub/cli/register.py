"""The register of interfaces as a page: who owns each, what goes which way, on what wire, how much, why, and under which assessment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hub.cli.day.plan import Traffic
from hub.cli.messages import Messages
from hub.cli.personal import personal_fields
from hub.contracts import Contracts, Interface, Operation

HEAD: Final = (
    "interface",
    "owner",
    "direction",
    "style",
    "wire",
    "a day",
    "purposes",
    "personal fields",
    "assessment, review by",
    "class, regime",
)
PLATFORM: Final = frozenset(
    {"console", "hub", "estate", "exchange", "journey", "ledger", "migration", "parity", "simulator", "adapter", "traffic"}
)
"""Packages of the platform itself, which is no system of the force."""
STYLES: Final = {"READ": "query", "WRITE_IDEMPOTENT": "command", "WRITE_ONCE": "command, never repeated"}


def register(messages: Messages, traffic: Sequence[Traffic]) -> str:
    """The page, in Markdown."""
    contracts = messages.contracts
    volumes: dict[str, int] = {}
    for one in traffic:
        volumes[one.operation.name] = volumes.get(one.operation.name, 0) + one.a_day
    rows = [_row(one, messages, volumes) for one in contracts.interfaces if one.system not in PLATFORM and not one.private]
    lines = [
        "# Interfaces",
        "",
        "Written from the contracts and each system's part in a day by `make golden`. One row for each interface; what an operation",
        "does, who may call it and its limits say `metip explain` and the contract's own comments. Volumes are calls or messages a",
        "day, assumed where `adapters/<system>/day.yaml` says so. Personal fields are counted over all messages",
        "of an interface, by class, and a field without a mark counts as personal; by the identifiers the ledger finds a data subject.",
        "",
        *_table(HEAD, rows),
        "",
        f"{len(rows)} interfaces of {len({one[0].split('.')[0] for one in rows})} systems.",
    ]
    return "\n".join(lines) + "\n"


def _row(one: Interface, messages: Messages, volumes: Mapping[str, int]) -> tuple[str, ...]:
    contracts = messages.contracts
    a_day = sum(volumes.get(operation.name, 0) for operation in one.operations)
    styles = sorted({_style(operation) for operation in one.operations})
    purposes = sorted({purpose.lower().replace("_", " ") for operation in one.operations for purpose in operation.purposes})
    assessment = f"{one.dpia.reference}, {one.dpia.review_by}"
    name = one.name.removeprefix("metip.")
    kind = f"{one.classification}, {one.legal_regime}".replace("_", " ").lower()
    return (name, one.owner, _direction(one, contracts), ", ".join(styles), one.wire, f"{a_day:,}" if a_day else "", ", ".join(purposes),
            personal_fields(one, messages), assessment, kind)  # fmt: skip


def _style(operation: Operation) -> str:
    if operation.delivery is not None:
        return "message"
    return f"{STYLES[operation.delivery_class.name]}, streamed" if operation.server_streams else STYLES[operation.delivery_class.name]


def _direction(one: Interface, contracts: Contracts) -> str:
    """From whom to whom, as far as contracts know: consumers are the access policy's to name."""
    takers = sorted({taken.system for taken in contracts.subscriptions if taken.operation.partition("/")[0] == one.name})
    if one.of_messages:
        return f"{one.system} → {', '.join(takers)}" if takers else f"{one.system} →"
    asked = sorted({name.split(".")[1] for operation in one.operations for name in operation.consults})
    behind = " or ".join((one.system, *contracts.back_ends_of(one.name)))
    return f"consumers → {behind}{' → ' + ', '.join(asked) if asked else ''}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
