"""A request as it is asked for on the command line: a sample or nothing to begin with, fields on top of it, and why it is asked."""

from dataclasses import dataclass
from typing import Any

import click

from hub.cli.fields import assign
from hub.cli.messages import Messages
from hub.cli.options import Problem
from hub.cli.rendering import enum_word
from hub.cli.values import FieldError, enum_number
from hub.contracts import Operation
from hub.contracts.samples import Sample, sample_of

ACCESS = "access"


@dataclass(frozen=True)
class Wanted:
    """What was typed."""

    fields: tuple[str, ...] = ()
    sample: bool = False
    purpose: str = ""
    why: str = ""


def request_of(operation: Operation, wanted: Wanted, messages: Messages) -> tuple[Any, tuple[str, ...]]:
    """The request, and remarks on what was filled in without having been typed.

    Raises `Problem` when there is no sample, and `click.UsageError` with every assignment that makes no sense.
    """
    sample = sample_of(operation, messages) if wanted.sample or operation.personal else None
    if wanted.sample and sample is None:
        raise Problem(f"no case is marked as the sample of {operation.name}", "give the fields yourself: field=value …")
    request: Any = messages.kind(operation.request)()
    if wanted.sample and sample is not None:
        request.CopyFrom(sample.request)
    problems = assign(request, wanted.fields)
    if problems:
        raise click.UsageError("\n".join(problems))
    if not operation.personal:
        if wanted.purpose or wanted.why:
            raise click.UsageError(f"{operation.method} touches no personal data, so it asks for no purpose")
        return request, ()
    return request, _say_why(request, operation, wanted, sample, messages)


def _say_why(request: Any, operation: Operation, wanted: Wanted, sample: Sample | None, messages: Messages) -> tuple[str, ...]:
    remarks = []
    access, purposes = request.access, messages.purposes
    known: Any = sample.request if sample is not None else None
    if wanted.purpose:
        try:
            access.purpose = enum_number(purposes, wanted.purpose)
        except FieldError as error:
            raise click.UsageError(f"--purpose: {error}") from None
    elif not access.purpose:
        access.purpose = known.access.purpose if known is not None else enum_number(purposes, operation.purposes[0])
        source = "the sample's" if known is not None else "the first that the contract permits"
        remarks.append(f"purpose {enum_word(purposes, access.purpose)} ({source}; --purpose states another)")
    if wanted.why:
        access.justification = wanted.why
    elif not access.justification and known is not None and known.access.justification:
        access.justification = known.access.justification
        remarks.append(f"justification “{access.justification}” (the sample's; --why states another)")
    if not access.reference and known is not None and known.access.reference and not wanted.why:
        access.reference = known.access.reference
        remarks.append(f"reference {access.reference} (the sample's; {ACCESS}.reference=… states another)")
    return tuple(remarks)
