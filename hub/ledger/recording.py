"""The hub's own journal, in which operators' actions are recorded before they are answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hub.ledger.actions import OPERATORS, Action
from metip.journal.blinding import OFFICER, REFERENCE, IndexKeys, normal_form
from metip.journal.file import BrokenError
from metip.journal.keys import SEALING
from metip.journal.records import LONGEST, Draft, Recording
from metip.journal.sealing import Sealer
from metip.journal.store import Journal

NAME: Final = "hub"


class HubJournal:
    """The journal of the hub, open."""

    def __init__(self, journals: Path, sealing_and_index: Path, keys: IndexKeys, *, on_broken: Callable[[BrokenError], None]) -> None:
        """Raises `BrokenError` and `SecretError`."""
        journals.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys = keys
        self._recording = Recording(NAME, keys)
        self.journal = Journal(journals / f"{NAME}.sqlite", NAME, NAME, Sealer(sealing_and_index / SEALING), on_broken=on_broken)

    async def record(self, action: Action) -> None:
        """Keeps an action; the `Recorder` of `hub.ledger.actions`. Raises `Fault` JOURNAL."""
        await self.journal.record(self._draft(action))

    async def record_action(self, action: str, author: str, purpose: int, detail: str) -> None:
        """Keeps an action of any other part of the hub; `author` is an operator, `os://…` or `sso://…`, or a warrant number, which is
        sealed."""
        anonymous = author.startswith(OPERATORS)
        draft = self._recording.of_action(action, by=author if anonymous else "", detail=detail)
        draft.record.purpose = purpose  # type: ignore[assignment]  # a number of the enum
        if not anonymous:
            self._behind(draft, author)
        await self.journal.record(draft)

    def close(self) -> None:
        """Keeps what waits and closes the file."""
        self.journal.close()

    def _draft(self, action: Action) -> Draft:
        draft = self._recording.of_action(
            action.name, by=action.operator, detail=action.detail, reason=action.reason, outcome=action.outcome
        )
        record, particulars = draft.record, draft.particulars
        assert particulars is not None, "an action has particulars"
        record.purpose, record.verb = action.purpose, action.verb  # type: ignore[assignment]  # numbers of the enums
        record.disclosed = action.disclosed
        if action.reference:
            particulars.reference = action.reference[:LONGEST]
            self._found_by(draft, REFERENCE, particulars.reference)
        if action.person is not None:
            record.force, record.unit = action.person.force[:LONGEST], action.person.unit[:LONGEST]
            self._behind(draft, action.person.warrant_number)
        for token in action.tokens:
            particulars.tokens.add(kind=token.kind, value=token.value, key=token.key)
        return draft

    def _behind(self, draft: Draft, officer: str) -> None:
        assert draft.particulars is not None, "an action has particulars"
        draft.particulars.officer = officer[:LONGEST]
        self._found_by(draft, OFFICER, draft.particulars.officer)

    def _found_by(self, draft: Draft, kind: str, text: str) -> None:
        assert draft.particulars is not None, "an action has particulars"
        token = self._keys.token(kind, normal_form(kind, text))
        draft.particulars.tokens.add(kind=token.kind, value=token.value, key=token.key)
