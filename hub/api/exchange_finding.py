"""Finding messages by whom or what they are about, and notes on groups of messages that wait."""

from abc import ABC, abstractmethod
from typing import Any

from hub.api.exchange_noting import check_words
from hub.api.exchange_words import cause_of, note
from hub.exchange.running import Exchange
from hub.ledger import questions
from hub.ledger.finding import Accepted, Finder
from hub.ledger.questions import QuestionError
from metip.exchange.v1 import finding_pb2 as api
from metip.exchange.v1 import note_pb2
from metip.faults import Fault, Reason
from metip.ledger.v1 import query_pb2, record_pb2

PAGE = 100


class FindingApi(ABC):
    """The part of the exchange's interface that is about finding and noting. `_asked` admits somebody, records what came of it, and
    refuses."""

    _exchange: Exchange
    _finder: Finder | None

    @abstractmethod
    def _asked(self, request: Any, context: Any, *, reason: bool = False) -> Any: ...

    async def FindMessages(self, request: api.FindMessagesRequest, context: Any) -> api.FindMessagesResponse:  # noqa: N802
        """Finds messages by subject or call; see the contract."""
        async with self._asked(request, context) as asked:
            if self._finder is None:
                raise Fault(Reason.PRECONDITION, "this hub keeps no ledger, so messages are found by their keys and ids only")
            asked.subjects = _subjects(request)
            found, token = await self._finder.find(_query(request), request.page_size or PAGE, request.page_token)
            asked.disclosed = len(found)
        return api.FindMessagesResponse(messages=[_found(one) for one in found], next_page_token=token)

    async def NoteGroup(self, request: note_pb2.NoteGroupRequest, context: Any) -> note_pb2.NoteGroupResponse:  # noqa: N802
        """Says something of a group; see the contract."""
        async with self._asked(request, context) as asked:
            check_words(request.words)
            kept = await self._exchange.engine.note(cause_of(request), request.words.strip(), by=asked.who)
        return note_pb2.NoteGroupResponse(note=note(kept))


def _subjects(request: api.FindMessagesRequest) -> list[tuple[str, str]]:
    try:
        return [(one.kind, questions.normal(one.kind, one.value)) for one in request.subjects]
    except QuestionError as error:
        raise Fault(Reason.INVALID_REQUEST, str(error)) from None


def _query(request: api.FindMessagesRequest) -> query_pb2.Query:
    found = query_pb2.Query(subjects=request.subjects, call_id=request.call_id, operation=request.operation, kind=record_pb2.KIND_OPERATION)
    if request.HasField("accepted_from"):
        getattr(found, "from").CopyFrom(request.accepted_from)
    if request.HasField("accepted_before"):
        found.before.CopyFrom(request.accepted_before)
    return found


def _found(one: Accepted) -> api.FoundMessage:
    record = one.record
    return api.FoundMessage(
        message_id=record.message_id,
        operation=record.operation,
        accepted=record.at,
        producer=record.consumer,
        call_id=record.call_id,
        record=one.index,
    )
