"""A question as it is asked, made into what the index is searched by: identifiers normalised and blinded, and forgotten.

The law: from here on nobody holds an identifier in clear, and no text of an error repeats one.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final, Protocol

from hub.ledger.searching import Wanted
from metip.identifiers import PARSERS
from metip.journal.blinding import NAME_AND_BIRTH, OFFICER, REFERENCE, Token, name_and_birth, normal_form
from metip.ledger.v1 import query_pb2

KINDS: Final = (*sorted(PARSERS), NAME_AND_BIRTH)
"""Kinds of identifier that a subject may be named by."""


class QuestionError(ValueError):
    """An identifier that is none; the text names its kind and what is wrong, never the value."""


class Blinding(Protocol):
    """What `metip.journal.blinding.IndexKeys` does for a search."""

    def tokens(self, kind: str, normal: str) -> tuple[Token, ...]:
        """Tokens under every key."""


def wanted(query: query_pb2.Query, keys: Blinding) -> Wanted:
    """What a query means. Raises `QuestionError` with every identifier that can't be read."""
    problems = []
    subjects: list[Token] = []
    for one in query.subjects:
        try:
            subjects += keys.tokens(one.kind, normal(one.kind, one.value))
        except QuestionError as error:
            problems.append(str(error))
    if problems:
        raise QuestionError("; ".join(problems))
    return Wanted(
        subjects=_values(subjects),
        officer=_values(keys.tokens(OFFICER, normal_form(OFFICER, query.officer))) if query.officer.strip() else (),
        reference=_values(keys.tokens(REFERENCE, normal_form(REFERENCE, query.reference))) if query.reference.strip() else (),
        consumer=query.consumer,
        operation=query.operation,
        purpose=query.purpose,
        kind=query.kind,
        outcome=query.outcome,
        call_id=query.call_id,
        force=query.force,
        unit=query.unit,
        since=getattr(query, "from").ToMilliseconds() if query.HasField("from") else None,
        before=query.before.ToMilliseconds() if query.HasField("before") else None,
    )


def asked_tokens(query: query_pb2.Query, keys: Blinding) -> tuple[Token, ...]:
    """The tokens, under the key in use, by which the record of a question is found: whoever is asked about sees who asked."""
    found = [keys.tokens(one.kind, normal(one.kind, one.value))[0] for one in query.subjects]
    if query.officer.strip():
        found.append(keys.tokens(OFFICER, normal_form(OFFICER, query.officer))[0])
    if query.reference.strip():
        found.append(keys.tokens(REFERENCE, normal_form(REFERENCE, query.reference))[0])
    return tuple(found)


def normal(kind: str, value: str) -> str:
    """The normal form of a subject's identifier. Raises `QuestionError`."""
    if kind == NAME_AND_BIRTH:
        return _name_and_birth(value)
    parse = PARSERS.get(kind)
    if parse is None:
        raise QuestionError(f"there is no identifier of the kind {kind}; there are {', '.join(KINDS)}")
    parsed = parse(value)
    if not parsed.valid:
        raise QuestionError(f"the {kind} {parsed.problem}")
    return parsed.canonical


def _name_and_birth(value: str) -> str:
    parts = [part.strip() for part in value.split("|")]
    if len(parts) != 3 or not parts[0]:
        raise QuestionError(f"the {NAME_AND_BIRTH} is not of the form SURNAME|FORENAME|YYYY-MM-DD")
    try:
        born = date.fromisoformat(parts[2])
    except ValueError:
        raise QuestionError(f"the {NAME_AND_BIRTH} ends in no date such as 1990-01-31") from None
    return name_and_birth(parts[0], (parts[1].split() or [""])[0], born)


def described(query: query_pb2.Query) -> str:
    """What was asked for in words that hold nothing personal: kinds of identifiers, and what is in clear."""
    said = [f"subject by {kind}" for kind in dict.fromkeys(one.kind for one in query.subjects)]
    said += [f"by {name}" for name in ("officer", "reference") if getattr(query, name)]
    said += [
        f"{name} {getattr(query, name)}"
        for name in ("consumer", "operation", "outcome", "call_id", "force", "unit")
        if getattr(query, name)
    ]
    if query.purpose:
        said.append(f"purpose {query.purpose}")
    if query.kind:
        said.append(f"kind {query.kind}")
    for name in ("from", "before"):
        if query.HasField(name):
            said.append(f"{name} {getattr(query, name).ToJsonString()}")
    return ", ".join(said) or "everything"


def _values(tokens: Iterable[Token]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(one.value for one in tokens))
