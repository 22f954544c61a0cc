"""The database's own rules, for the simulator: what it holds, what it refuses, what it forgets."""

import dataclasses
from collections.abc import Iterable

from adapters.footwear import codes
from adapters.footwear.records import Done, Fetch, Impression, Search, Submit, Withdraw


class Refusal(Exception):
    """What the database says instead of doing it."""

    def __init__(self, code: str, words: str) -> None:
        self.code, self.words = code, words
        super().__init__(code)


class Register:
    """Impressions by reference, each with its version; of a withdrawn one the version alone is kept."""

    def __init__(self, held: Iterable[Impression]) -> None:
        self._held = {one.reference: one for one in held}
        self._submitted = dict(self._held)
        self._withdrawn: dict[str, int] = {}

    def submit(self, question: Submit, *, unknown_pattern: bool = False, scanned: bool = True) -> Done:
        """Holds an impression. With `unknown_pattern` its pattern is in no collection; without `scanned` the scan never came."""
        one = question.impression
        if not one.offences:
            raise Refusal(codes.NOT_RECORDABLE, f"No recordable offence in {one.reference}.")
        if one.version <= self._withdrawn.get(one.reference, 0):
            raise Refusal(codes.WITHDRAWN, f"{one.reference} was withdrawn.")
        before = self._submitted.get(one.reference)
        if before is not None and before.version > one.version:
            raise Refusal(codes.SUPERSEDED, f"{one.reference} is held in a later version.")
        if before is not None and before.version == one.version and _said(before) != _said(one):
            raise Refusal(codes.ANOTHER_CONTENT, f"{one.reference} is held otherwise.")
        if before is None or before.version < one.version:
            self._submitted[one.reference] = one
            if not scanned:
                one = dataclasses.replace(one, scan="", scanned_at=None, shoe=dataclasses.replace(one.shoe, pattern=""))
            self._held[one.reference] = dataclasses.replace(one, status=_status(one, unknown_pattern))
        return Done(version=one.version, status=self._held[one.reference].status)

    def withdraw(self, question: Withdraw) -> Done:
        """Forgets an impression, for this version and those below, whether or not it was held."""
        held = self._held.get(question.reference)
        withdrawn = self._withdrawn.get(question.reference, 0)
        if held is not None and held.version > question.version:
            raise Refusal(codes.SUPERSEDED, f"{question.reference} is held in a later version.")
        self._withdrawn[question.reference] = max(withdrawn, question.version)
        if held is None and not withdrawn:
            raise Refusal(codes.UNKNOWN, f"{question.reference} is not held.")
        self._held.pop(question.reference, None)
        self._submitted.pop(question.reference, None)
        return Done(version=question.version)

    def search(self, question: Search) -> tuple[tuple[Impression, ...], bool]:
        """Impressions that fit, latest scan first, and whether there are more."""
        found = [
            one
            for one in self._held.values()
            if one.shoe.pattern.startswith(question.pattern)
            and question.size in ("", one.shoe.size)
            and question.make in ("", one.shoe.make)
            and one.scanned_at is not None
        ]
        found.sort(key=lambda one: (one.scanned_at, one.reference), reverse=True)
        return tuple(found[: question.most]), len(found) > question.most

    def fetch(self, question: Fetch) -> Impression:
        """One impression."""
        held = self._held.get(question.reference)
        if held is None:
            raise Refusal(codes.UNKNOWN, f"{question.reference} is not held.")
        return held


def _status(one: Impression, unknown_pattern: bool) -> str:
    if not one.scan:
        return codes.AWAITING_SCAN
    return codes.CODED if one.shoe.pattern and not unknown_pattern else codes.AT_BUREAU


def _said(one: Impression) -> Impression:
    """What was submitted, without what the database made of it."""
    return dataclasses.replace(one, status="")
