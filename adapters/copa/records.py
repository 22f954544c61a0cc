"""The native records of COPA's interface: who asks, what a case file is made of, and each question with its answer.

Codes are kept as COPA writes them (`adapters.copa.codes` says what they mean); instants are aware, to the second. A field without a default
must be in the document. The records hold personal data, so none of them shows its content in a `repr`.
"""

from datetime import datetime
from typing import Final

from adapters.kit.binding import record
from adapters.kit.values import UNKNOWN, Parts

NAMESPACE: Final = "urn:x-copa:casefile:2"


@record(NAMESPACE, "Caller")
class Caller:
    """Header of every question: the account, the officer behind it (none for a machine), and why they ask."""

    account: str
    officer: str = ""
    force: str = ""
    unit: str = ""
    reason: str = ""
    reference: str = ""
    on_behalf_of: str = ""
    justification: str = ""


@record(NAMESPACE)
class Charge:
    """One offence that a defendant is charged with; `last_day` is unknown where there is only one."""

    sequence: int
    code: str
    title: str = ""
    first_day: Parts = UNKNOWN
    last_day: Parts = UNKNOWN


@record(NAMESPACE)
class Defendant:
    """Somebody who is prosecuted."""

    asn: str
    surname: str
    forenames: tuple[str, ...] = ()
    title: str = ""
    born: Parts = UNKNOWN
    sex: str = ""
    pnc_id: str = ""
    charges: tuple[Charge, ...] = ()


@record(NAMESPACE)
class Hearing:
    """A hearing that is fixed; `time` is `HH:MM` by the court's clock, or ''."""

    court: str
    day: Parts
    time: str = ""
    purpose: str = ""


@record(NAMESPACE)
class Disposal:
    """One result of an offence: the court's code and its words."""

    code: int
    text: str = ""


@record(NAMESPACE)
class Decision:
    """What a court decided about one offence."""

    sequence: int
    code: str
    plea: str = ""
    verdict: str = ""
    disposals: tuple[Disposal, ...] = ()


@record(NAMESPACE)
class Result:
    """What a court decided about one defendant at one hearing. `key` is the message's; `filed` is COPA's own and absent in a question."""

    key: str
    asn: str
    court: str
    heard: Parts
    filed: datetime | None = None
    decisions: tuple[Decision, ...] = ()


@record(NAMESPACE)
class Case:
    """A case file. `version`, `status` and `opened` are COPA's own and absent in a question."""

    urn: str
    version: int = 0
    status: str = ""
    officer: str = ""
    unit: str = ""
    crime: str = ""
    opened: datetime | None = None
    defendants: tuple[Defendant, ...] = ()
    hearings: tuple[Hearing, ...] = ()
    results: tuple[Result, ...] = ()


@record(NAMESPACE, "GetCase")
class GetCase:
    """Asks for one case file."""

    urn: str


@record(NAMESPACE, "GetCaseReply")
class GetCaseReply:
    """Answers `GetCase`."""

    as_at: datetime
    case: Case


@record(NAMESPACE, "OpenCase")
class OpenCase:
    """Asks for a case file to be opened, once for each submission."""

    submission: str
    case: Case


@record(NAMESPACE, "OpenCaseReply")
class OpenCaseReply:
    """Answers `OpenCase`."""

    as_at: datetime
    version: int


@record(NAMESPACE, "AmendCase")
class AmendCase:
    """Asks for one change to a file that still has this version; exactly one of the last four is there."""

    urn: str
    version: int
    defendant: Defendant | None = None
    hearing: Hearing | None = None
    officer: str = ""
    closing: str = ""
    """Why the file is closed."""


@record(NAMESPACE, "AmendCaseReply")
class AmendCaseReply:
    """Answers `AmendCase`: where the file stands now."""

    as_at: datetime
    version: int
    status: str = ""


@record(NAMESPACE, "FileResult")
class FileResult:
    """Asks for a court's result to be filed on a file that still has this version."""

    urn: str
    version: int
    result: Result


@record(NAMESPACE, "FileResultReply")
class FileResultReply:
    """Answers `FileResult`; `before` says that this result was on the file already, and nothing was changed."""

    as_at: datetime
    version: int
    before: bool = False
