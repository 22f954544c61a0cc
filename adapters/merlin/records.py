"""The native records of Merlin's interface: who asks, people, reports, and each question with its answer.

Codes are kept as Merlin writes them (`adapters.merlin.codes` says what they mean); instants are aware, to the minute. The records hold
personal data, so none of them shows its content in a `repr`.
"""

from datetime import datetime
from typing import Annotated, Final

from adapters.kit.binding import At, record
from adapters.kit.values import UNKNOWN, Parts

NAMESPACE: Final = "urn:x-merlin:reports:3"


@record(NAMESPACE, "Logon")
class Logon:
    """Asks for a session. Both parts empty is the anonymous logon."""

    user: Annotated[str, At("@user")] = ""
    secret: Annotated[str, At("@secret")] = ""


@record(NAMESPACE, "Ticket")
class Ticket:
    """Answers a logon: the session's ticket, and for how many seconds it is good."""

    value: Annotated[str, At("@value")]
    seconds: Annotated[int, At("@lives")]


@record(NAMESPACE, "Session")
class Session:
    """Header of every question but the logon."""

    ticket: Annotated[str, At("@ticket")]


@record(NAMESPACE, "Asker")
class Asker:
    """Header of every question but the logon: the officer, and why they ask."""

    warrant: Annotated[str, At("@warrant")] = ""
    force: Annotated[str, At("@force")] = ""
    unit: Annotated[str, At("@unit")] = ""
    reason: Annotated[str, At("@reason")] = ""
    reference: Annotated[str, At("@ref")] = ""
    on_behalf_of: Annotated[str, At("@behalf")] = ""
    device: Annotated[str, At("@device")] = ""
    justification: Annotated[str, At("Why")] = ""


@record(NAMESPACE)
class Name:
    """A name, each part at most 35 characters."""

    title: Annotated[str, At("@title")] = ""
    first: Annotated[str, At("@fore1")] = ""
    second: Annotated[str, At("@fore2")] = ""
    third: Annotated[str, At("@fore3")] = ""
    surname: Annotated[str, At("@sur")] = ""


@record(NAMESPACE)
class Address:
    """An address in BS7666 parts (form `BSA`), in lines (`LIN`), or known by its postcode alone (no form)."""

    form: Annotated[str, At("@form")] = ""
    secondary: Annotated[str, At("@saon")] = ""
    primary: Annotated[str, At("@paon")] = ""
    street: Annotated[str, At("@street")] = ""
    locality: Annotated[str, At("@locality")] = ""
    town: Annotated[str, At("@town")] = ""
    uprn: Annotated[int, At("@uprn")] = 0
    postcode: Annotated[str, At("@postcode")] = ""
    lines: Annotated[tuple[str, ...], At("Line")] = ()


@record(NAMESPACE)
class Signal:
    """A warning signal: its two-letter code and what it says."""

    code: Annotated[str, At("@cod")] = ""
    text: Annotated[str, At("Text")] = ""


@record(NAMESPACE)
class Person:
    """A person as Merlin knows them."""

    sex: Annotated[str, At("@sex")] = ""
    born: Annotated[Parts, At("@dob")] = UNKNOWN
    seen_ethnicity: Annotated[int, At("@ic")] = 0
    own_ethnicity: Annotated[str, At("@sde")] = ""
    height: Annotated[int, At("@height")] = 0
    """Centimetres; 0 when unknown."""
    pnc_id: Annotated[str, At("@pncId")] = ""
    cro_number: Annotated[str, At("@cro")] = ""
    name: Annotated[Name, At("Name")]
    aliases: Annotated[tuple[Name, ...], At("Alias")] = ()
    addresses: Annotated[tuple[Address, ...], At("Address")] = ()
    signals: Annotated[tuple[Signal, ...], At("Signal")] = ()


@record(NAMESPACE)
class Linked:
    """Somebody else in a report."""

    role: Annotated[str, At("@rol")] = ""
    person: Annotated[Person, At("Person")]


@record(NAMESPACE)
class Missing:
    """What belongs to a missing episode."""

    seen: Annotated[datetime | None, At("@seen")] = None
    vulnerabilities: Annotated[tuple[str, ...], At("@vul")] = ()
    place: Annotated[str, At("Place")] = ""
    clothing: Annotated[str, At("Clothing")] = ""
    circumstances: Annotated[str, At("Circumstances")] = ""
    medication: Annotated[str, At("Medication")] = ""
    care_setting: Annotated[str, At("CareSetting")] = ""


@record(NAMESPACE)
class Child:
    """What belongs to a child who came to notice."""

    concerns: Annotated[tuple[str, ...], At("@con")] = ()
    circumstances: Annotated[str, At("Circumstances")] = ""
    voice: Annotated[str, At("Voice")] = ""
    school: Annotated[str, At("School")] = ""
    practitioner: Annotated[str, At("Practitioner")] = ""


@record(NAMESPACE)
class Adult:
    """What belongs to an adult who came to notice."""

    vulnerabilities: Annotated[tuple[str, ...], At("@vul")] = ()
    circumstances: Annotated[str, At("Circumstances")] = ""
    wishes: Annotated[str, At("Wishes")] = ""


@record(NAMESPACE)
class Assessment:
    """A risk, why, who agreed, and when: the instant is Merlin's own and absent in a question."""

    level: Annotated[str, At("@rsk")]
    supervisor: Annotated[str, At("@sup")] = ""
    at: Annotated[datetime | None, At("@at")] = None
    rationale: Annotated[str, At("Rationale")] = ""


@record(NAMESPACE)
class Sharing:
    """What is shared with partner agencies, and on what ground."""

    partners: Annotated[tuple[str, ...], At("@with")] = ()
    basis: Annotated[str, At("@bas")] = ""
    consent: Annotated[bool, At("@consent")] = False


@record(NAMESPACE)
class Located:
    """How the person was found."""

    found: Annotated[datetime | None, At("@found")] = None
    place: Annotated[str, At("Place")] = ""
    found_by: Annotated[str, At("By")] = ""


@record(NAMESPACE)
class Debriefed:
    """What the person said on return."""

    interview_offered: Annotated[bool, At("@interview")] = False
    account: Annotated[str, At("Account")] = ""


@record(NAMESPACE)
class Closed:
    """Why the report was closed."""

    reason: Annotated[str, At("Reason")] = ""


@record(NAMESPACE)
class Summary:
    """One report in one line, and the person who was found in it."""

    reference: Annotated[str, At("@ref")]
    type: Annotated[str, At("@typ")] = ""
    status: Annotated[str, At("@sta")] = ""
    risk: Annotated[str, At("@rsk")] = ""
    role: Annotated[str, At("@rol")] = ""
    created: Annotated[datetime | None, At("@cre")] = None
    last_seen: Annotated[datetime | None, At("@seen")] = None
    restricted: Annotated[bool, At("@restricted")] = False
    person: Annotated[Person, At("Person")]
    line: Annotated[str, At("Line")] = ""


@record(NAMESPACE)
class Report:
    """One report in full; exactly one of `missing`, `child` and `adult` is there."""

    review_due: Annotated[datetime | None, At("@due")] = None
    summary: Annotated[Summary, At("Summary")]
    missing: Annotated[Missing | None, At("Missing")] = None
    child: Annotated[Child | None, At("Child")] = None
    adult: Annotated[Adult | None, At("Adult")] = None
    people: Annotated[tuple[Linked, ...], At("Linked")] = ()
    assessments: Annotated[tuple[Assessment, ...], At("Assessment")] = ()
    sharing: Annotated[Sharing | None, At("Sharing")] = None
    located: Annotated[Located | None, At("Located")] = None
    debriefed: Annotated[Debriefed | None, At("Debriefed")] = None
    closed: Annotated[Closed | None, At("Closed")] = None


@record(NAMESPACE)
class Remark:
    """Something that Merlin wants known beside its answer."""

    code: Annotated[str, At("@cod")] = ""
    text: Annotated[str, At("Text")] = ""


@record(NAMESPACE, "Find")
class Find:
    """Asks for the reports in which somebody has a part; names fit by their beginnings."""

    surname: Annotated[str, At("@sur")] = ""
    forenames: Annotated[str, At("@fore")] = ""
    born: Annotated[Parts, At("@dob")] = UNKNOWN
    type: Annotated[str, At("@typ")] = ""
    """'' for all."""
    open_only: Annotated[bool, At("@open")] = False
    most: Annotated[int, At("@max")] = 0


@record(NAMESPACE, "Found")
class Found:
    """Answers `Find`; `more` counts only what the asker may see."""

    as_at: Annotated[datetime, At("@asat")]
    more: Annotated[bool, At("@more")] = False
    reports: Annotated[tuple[Summary, ...], At("Summary")] = ()


@record(NAMESPACE, "Fetch")
class Fetch:
    """Asks for one report."""

    reference: Annotated[str, At("@ref")]


@record(NAMESPACE, "Fetched")
class Fetched:
    """Answers `Fetch`."""

    as_at: Annotated[datetime, At("@asat")]
    report: Annotated[Report, At("Report")]
    remarks: Annotated[tuple[Remark, ...], At("Remark")] = ()


@record(NAMESPACE, "Raise")
class Raise:
    """Asks for a report to be raised, once for each submission."""

    submission: Annotated[str, At("@sub")]
    type: Annotated[str, At("@typ")]
    summary: Annotated[str, At("Line")] = ""
    subject: Annotated[Person, At("Person")]
    assessment: Annotated[Assessment, At("Assessment")]
    missing: Annotated[Missing | None, At("Missing")] = None
    child: Annotated[Child | None, At("Child")] = None
    adult: Annotated[Adult | None, At("Adult")] = None
    people: Annotated[tuple[Linked, ...], At("Linked")] = ()
    sharing: Annotated[Sharing | None, At("Sharing")] = None


@record(NAMESPACE, "Raised")
class Raised:
    """Answers `Raise`."""

    as_at: Annotated[datetime, At("@asat")]
    reference: Annotated[str, At("@ref")]
    created: Annotated[datetime, At("@cre")]
    review_due: Annotated[datetime | None, At("@due")] = None


@record(NAMESPACE, "Amend")
class Amend:
    """Asks for one change to a report; exactly one of the last four is there."""

    reference: Annotated[str, At("@ref")]
    assessment: Annotated[Assessment | None, At("Assessment")] = None
    located: Annotated[Located | None, At("Located")] = None
    debriefed: Annotated[Debriefed | None, At("Debriefed")] = None
    closed: Annotated[Closed | None, At("Closed")] = None


@record(NAMESPACE, "Amended")
class Amended:
    """Answers `Amend`: where the report stands now."""

    as_at: Annotated[datetime, At("@asat")]
    status: Annotated[str, At("@sta")] = ""
    risk: Annotated[str, At("@rsk")] = ""
    review_due: Annotated[datetime | None, At("@due")] = None
