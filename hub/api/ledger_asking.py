"""One question of an operator to the ledger: its rules, its purpose, who asks; whatever comes of it is recorded before it is answered."""

from collections.abc import Sequence
from typing import Any, Final

from grpc_status import rpc_status

from hub.api.checking import check
from hub.api.operators import OPERATOR, signed_in
from hub.contracts import Contracts, Operation
from hub.exchange.accepting import metadata_of
from hub.ledger.actions import Action, Identify, Person, Recorder
from metip.call import CALL_ID_HEADER, OPERATOR_HEADER
from metip.faults import Fault, Reason, status_of
from metip.journal.blinding import Token
from metip.options.v1 import options_pb2

SYSTEM: Final = "ledger"
SERVICE: Final = "metip.ledger.v1.LedgerService"


class Asking:
    """What all questions share."""

    def __init__(self, contracts: Contracts, record: Recorder, identify: Identify, service: str = SERVICE) -> None:
        self._contracts, self.record, self.identify, self._service = contracts, record, identify, service

    def asked(self, name: str, request: Any, context: Any, *roles: str) -> "Asked":
        """A question, and the roles that its officer must have; where there are none, it needs no officer."""
        rpc = type(request).__name__.removesuffix("Request")
        return Asked(self, self._contracts.operations[f"{self._service}/{rpc}"], name, request, context, roles)


class Asked:
    """One question. Within its block a `Fault` becomes a recorded refusal; nothing may be answered before `record` was called."""

    def __init__(self, asking: Asking, operation: Operation, name: str, request: Any, context: Any, roles: tuple[str, ...]) -> None:
        self._asking, self._operation, self._name = asking, operation, name
        self._request, self._context, self._roles = request, context, roles
        self._metadata = metadata_of(context)
        self._operator, self._detail = "", ""
        self._person: Person | None = None
        self._tokens: tuple[Token, ...] = ()

    async def __aenter__(self) -> "Asked":
        await check(self._request, self._context)
        try:
            self._judge()
        except Fault as fault:
            await self._refuse(fault)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, Fault):
            await self._refuse(error)

    def about(self, detail: str, tokens: Sequence[Token]) -> None:
        """Says what is asked, without anything personal, and of whom."""
        self._detail, self._tokens = detail, tuple(tokens)

    def says(self, detail: str) -> None:
        """Says more."""
        self._detail += detail

    async def record(self, *, disclosed: int = 0, outcome: str = "OK") -> None:
        """Keeps the record. Raises `Fault` JOURNAL when it can't be kept."""
        access = self._request.access
        await self._asking.record(
            Action(
                name=self._name,
                operator=self._operator,
                purpose=access.purpose,
                verb=options_pb2.Verb.Value(f"VERB_{self._operation.verb}"),
                reason=access.justification,
                reference=access.reference,
                detail=self._detail,
                person=self._person,
                outcome=outcome,
                disclosed=disclosed,
                tokens=self._tokens,
            )
        )

    def _judge(self) -> None:
        stated = self._metadata.get(OPERATOR_HEADER, "")
        if not OPERATOR.fullmatch(stated):
            raise Fault(Reason.CONSUMER_UNKNOWN, f"the operator is not named in {OPERATOR_HEADER}")
        self._operator = stated
        authorization = self._metadata.get("authorization", "")
        self._person = signed_in(self._metadata)
        if self._person is None and authorization:
            self._person = self._asking.identify(authorization.removeprefix("Bearer ").strip())
        access = self._request.access
        if access.purpose not in self._operation.purpose_numbers:
            raise Fault(Reason.PURPOSE_NOT_PERMITTED, "the operation does not permit that purpose")
        if self._operation.justification_required and not access.justification.strip():
            raise Fault(Reason.JUSTIFICATION_NEEDED, "whoever asks the ledger says why")
        if self._roles and self._person is None:
            raise Fault(Reason.OFFICER_NEEDED, f"that needs the token of an officer with the role {' and '.join(self._roles)}")
        lacking = [role for role in self._roles if self._person is not None and role not in self._person.roles]
        if lacking:
            raise Fault(Reason.RESTRICTED, f"that needs the role {' and '.join(lacking)}")

    async def _refuse(self, fault: Fault) -> None:
        """Records the refusal and ends the call with it; always raises."""
        if fault.reason is not Reason.JOURNAL:
            try:
                await self.record(outcome=fault.reason.name)
            except Fault as unrecorded:
                fault = unrecorded
        status = status_of(fault, system=SYSTEM, call_id=self._metadata.get(CALL_ID_HEADER, ""))
        await self._context.abort_with_status(rpc_status.to_status(status))
