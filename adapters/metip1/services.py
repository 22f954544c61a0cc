"""The literal table of what the old bus offered: each SOAP operation, and the operation of a contract that it is.

Bridge and façade read it in opposite directions: the bridge tells a contract's request to the bus and reads its answer, the façade reads a
consumer's question and prints a contract's response. So every operation has both ways for both. Nothing of the bus's interfaces is public:
names, namespaces and codes are (assumed), and follow the contract where the bus has no name that people know.
"""

import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from typing import Any, Final

from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from adapters.metip1.translate import Dialect, Form, Forms, described, rows
from adapters.metip1.wire import NAMESPACE, Layout, Record
from metip.common.v1.access_pb2 import AccessContext

NAMED: Final = Dialect(named_codes=True, code_width=30)
NUMBERED: Final = Dialect(code_width=2, digits=4)


@dataclass(frozen=True, slots=True)
class SoapService:
    """A service of the bus: its name, which is the last part of its path, and how it prints values."""

    name: str
    dialect: Dialect

    @property
    def namespace(self) -> str:
        """Of its documents."""
        return f"{NAMESPACE}:{self.name}"

    @property
    def path(self) -> str:
        """Where the bus has it."""
        return f"/MetIP/services/{self.name}"


@dataclass(frozen=True, slots=True)
class SoapOperation:
    """One operation: what it is called on either side, and the ways between a message and a record, for question and answer."""

    service: SoapService
    name: str
    contract: str
    """`metip.example.v1.ExampleService/GetExample`."""
    write_once: bool
    """Whether it must not be sent again when nobody knows whether it was done: what the contract's idempotency level says."""
    idempotent: bool
    """Whether the contract lets it be sent again although it writes."""
    question: Form
    answer: Form

    @property
    def action(self) -> str:
        """The SOAPAction."""
        return f"{self.service.namespace}/{self.name}"

    @property
    def asked(self) -> Layout:
        """Layout of the question, whose name is its root element's."""
        return self.question.layout

    @property
    def answered(self) -> Layout:
        """Layout of the answer."""
        return self.answer.layout

    def ask_native(self, request: Message) -> Record:
        """A contract's request as the bus is asked, without who asks. Raises `TranslationError` for what it can't be told."""
        return self.question.native(request, asking=True)

    def ask_contract(self, record: Record) -> Any:
        """A question to the bus as a contract's request, without who asks. Raises `TranslationError`."""
        return self.question.contract(record)

    def answer_contract(self, record: Record) -> Any:
        """The bus's answer as a contract's response. Raises `TranslationError`."""
        return self.answer.contract(record)

    def answer_native(self, response: Message) -> Record:
        """A contract's response as the bus prints it: names in capitals and cut, codes padded. Raises `TranslationError`."""
        return self.answer.native(response, asking=False)


PNC: Final = SoapService("PNCEnquiry", NUMBERED)
UPDATES: Final = SoapService("PNCUpdate", NUMBERED)
CRIS: Final = SoapService("CRIS", NAMED)
MERLIN: Final = SoapService("Merlin", Dialect(short_years=True, named_codes=True, code_width=30))
CUSTODY: Final = SoapService("NSPISCustody", NUMBERED)
COURTS: Final = SoapService("Libra", NUMBERED)
SERVICES: Final = (PNC, UPDATES, CRIS, MERLIN, CUSTODY, COURTS)

LISTED: Final[tuple[tuple[SoapService, str, str], ...]] = (
    (PNC, "FindNames", "metip.pnc.v1.PersonEnquiryService/SearchPersons"),
    (PNC, "GetName", "metip.pnc.v1.PersonEnquiryService/GetPerson"),
    (PNC, "GetVehicle", "metip.pnc.v1.VehicleEnquiryService/GetVehicle"),
    (PNC, "FindVehicles", "metip.pnc.v1.VehicleEnquiryService/SearchVehicles"),
    (PNC, "GetDriver", "metip.pnc.v1.DriverEnquiryService/GetDriver"),
    (PNC, "FindProperty", "metip.pnc.v1.PropertyEnquiryService/SearchProperty"),
    (UPDATES, "GetArrestSummons", "metip.pnc.v1.ArrestSummonsService/GetArrestSummons"),
    (UPDATES, "UpdateDisposal", "metip.pnc.v1.CaseUpdateService/RecordDisposal"),
    (UPDATES, "UpdateRemand", "metip.pnc.v1.CaseUpdateService/RecordRemand"),
    (UPDATES, "UpdateDeferredSentence", "metip.pnc.v1.CaseUpdateService/RecordDeferredSentence"),
    (UPDATES, "UpdateVariation", "metip.pnc.v1.CaseUpdateService/RecordVariation"),
    (CRIS, "FindCrimes", "metip.cris.v1.CrimeReportService/SearchCrimeReports"),
    (CRIS, "GetCrime", "metip.cris.v1.CrimeReportService/GetCrimeReport"),
    (CRIS, "CreateCrime", "metip.cris.v1.CrimeReportService/CreateCrimeReport"),
    (CRIS, "AddDet", "metip.cris.v1.CrimeReportService/AddDetail"),
    (CRIS, "UpdateCrime", "metip.cris.v1.CrimeReportService/UpdateCrimeReport"),
    (MERLIN, "FindReports", "metip.merlin.v1.ReportService/SearchReports"),
    (MERLIN, "GetReport", "metip.merlin.v1.ReportService/GetReport"),
    (MERLIN, "RaiseReport", "metip.merlin.v1.ReportService/RaiseReport"),
    (MERLIN, "UpdateReport", "metip.merlin.v1.ReportService/UpdateReport"),
    (CUSTODY, "SendCustodyRecord", "metip.custody.v1.CustodyRecordService/PublishCustodyRecord"),
    (COURTS, "SubmitCase", "metip.libra.v1.CaseService/SubmitCase"),
    (COURTS, "SendResult", "metip.libra.v1.ResultService/PublishResult"),
)
"""Service, SOAP operation, operation of the contract. The last three are messages there: the bus accepts them and delivers them later."""

TABLE: Final = rows(importlib.resources.files("adapters.metip1").joinpath("records.table").read_text(encoding="utf-8"))


def _today() -> date:
    return datetime.now(UTC).date()


def _method(contract: str) -> Any:
    """The descriptor of an operation; a contract's file is named after its service."""
    interface, _, name = contract.partition("/")
    package, _, service = interface.rpartition(".")
    file = import_module(f"{package}.{re.sub('(?<!^)(?=[A-Z])', '_', service).lower()}_pb2")
    return file.DESCRIPTOR.services_by_name[service].methods_by_name[name]


@cache
def _forms(service: SoapService) -> Forms:
    return Forms(TABLE, service.dialect, service.namespace, today=_today)


def _operation(service: SoapService, name: str, contract: str) -> SoapOperation:
    method, forms = _method(contract), _forms(service)
    level = method.GetOptions().idempotency_level
    return SoapOperation(
        service=service,
        name=name,
        contract=contract,
        write_once=level == MethodOptions.IDEMPOTENCY_UNKNOWN,
        idempotent=level == MethodOptions.IDEMPOTENT,
        question=forms.form(method.input_type),
        answer=forms.form(method.output_type),
    )


OPERATIONS: Final = tuple(_operation(*row) for row in LISTED)
BY_CONTRACT: Final[Mapping[str, SoapOperation]] = {one.contract: one for one in OPERATIONS}
BY_QUESTION: Final[Mapping[str, SoapOperation]] = {one.asked.tag: one for one in OPERATIONS}
"""By the full name of the question's root element."""

# The header that says who asks and why, the same for every service.
_CONTEXT: Final = Forms(TABLE, NUMBERED, today=_today).form(described("metip.common.v1.AccessContext"))
CONTEXT: Final = _CONTEXT.layout


def context_native(access: AccessContext) -> Record:
    """Why somebody asks, as the header of a question."""
    return _CONTEXT.native(access, asking=True)


def context_contract(record: Record) -> AccessContext:
    """Why somebody asks, from the header of a question. Raises `TranslationError`."""
    access: AccessContext = _CONTEXT.contract(record)
    return access
