"""The native records of Merlin's interface: who asks, people, reports, and each question with its answer.

Codes are kept as Merlin writes them (`adapters.merlin.codes` says what they mean); instants are aware, to the minute. The records hold
personal data, so none of them shows its content in a `repr`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from adapters.merlin.layout import UNKNOWN_DAY, Attribute, Day, Part, Words


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Logon:
    """Asks for a session. Both parts empty is the anonymous logon."""

    user: Annotated[str, Attribute("user")] = ""
    secret: Annotated[str, Attribute("secret")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ticket:
    """Answers a logon: the session's ticket, and for how many seconds it is good."""

    value: Annotated[str, Attribute("value")]
    seconds: Annotated[int, Attribute("lives")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Session:
    """Header of every question but the logon."""

    ticket: Annotated[str, Attribute("ticket")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asker:
    """Header of every question but the logon: the officer, and why they ask."""

    warrant: Annotated[str, Attribute("warrant")] = ""
    force: Annotated[str, Attribute("force")] = ""
    unit: Annotated[str, Attribute("unit")] = ""
    reason: Annotated[str, Attribute("reason")] = ""
    reference: Annotated[str, Attribute("ref")] = ""
    on_behalf_of: Annotated[str, Attribute("behalf")] = ""
    device: Annotated[str, Attribute("device")] = ""
    justification: Annotated[str, Words("Why")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Name:
    """A name, each part at most 35 characters."""

    title: Annotated[str, Attribute("title")] = ""
    first: Annotated[str, Attribute("fore1")] = ""
    second: Annotated[str, Attribute("fore2")] = ""
    third: Annotated[str, Attribute("fore3")] = ""
    surname: Annotated[str, Attribute("sur")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Address:
    """An address in BS7666 parts (form `BSA`), in lines (`LIN`), or known by its postcode alone (no form)."""

    form: Annotated[str, Attribute("form")] = ""
    secondary: Annotated[str, Attribute("saon")] = ""
    primary: Annotated[str, Attribute("paon")] = ""
    street: Annotated[str, Attribute("street")] = ""
    locality: Annotated[str, Attribute("locality")] = ""
    town: Annotated[str, Attribute("town")] = ""
    uprn: Annotated[int, Attribute("uprn")] = 0
    postcode: Annotated[str, Attribute("postcode")] = ""
    lines: Annotated[tuple[str, ...], Words("Line")] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Signal:
    """A warning signal: its two-letter code and what it says."""

    code: Annotated[str, Attribute("cod")] = ""
    text: Annotated[str, Words("Text")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """A person as Merlin knows them."""

    sex: Annotated[str, Attribute("sex")] = ""
    born: Annotated[Day, Attribute("dob")] = UNKNOWN_DAY
    seen_ethnicity: Annotated[int, Attribute("ic")] = 0
    own_ethnicity: Annotated[str, Attribute("sde")] = ""
    height: Annotated[int, Attribute("height")] = 0
    """Centimetres; 0 when unknown."""
    pnc_id: Annotated[str, Attribute("pncId")] = ""
    cro_number: Annotated[str, Attribute("cro")] = ""
    name: Annotated[Name, Part("Name")]
    aliases: Annotated[tuple[Name, ...], Part("Alias")] = ()
    addresses: Annotated[tuple[Address, ...], Part("Address")] = ()
    signals: Annotated[tuple[Signal, ...], Part("Signal")] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Linked:
    """Somebody else in a report."""

    role: Annotated[str, Attribute("rol")] = ""
    person: Annotated[Person, Part("Person")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Missing:
    """What belongs to a missing episode."""

    seen: Annotated[datetime | None, Attribute("seen")] = None
    vulnerabilities: Annotated[tuple[str, ...], Attribute("vul")] = ()
    place: Annotated[str, Words("Place")] = ""
    clothing: Annotated[str, Words("Clothing")] = ""
    circumstances: Annotated[str, Words("Circumstances")] = ""
    medication: Annotated[str, Words("Medication")] = ""
    care_setting: Annotated[str, Words("CareSetting")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Child:
    """What belongs to a child who came to notice."""

    concerns: Annotated[tuple[str, ...], Attribute("con")] = ()
    circumstances: Annotated[str, Words("Circumstances")] = ""
    voice: Annotated[str, Words("Voice")] = ""
    school: Annotated[str, Words("School")] = ""
    practitioner: Annotated[str, Words("Practitioner")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Adult:
    """What belongs to an adult who came to notice."""

    vulnerabilities: Annotated[tuple[str, ...], Attribute("vul")] = ()
    circumstances: Annotated[str, Words("Circumstances")] = ""
    wishes: Annotated[str, Words("Wishes")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Assessment:
    """A risk, why, who agreed, and when: the instant is Merlin's own and absent in a question."""

    level: Annotated[str, Attribute("rsk")]
    supervisor: Annotated[str, Attribute("sup")] = ""
    at: Annotated[datetime | None, Attribute("at")] = None
    rationale: Annotated[str, Words("Rationale")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sharing:
    """What is shared with partner agencies, and on what ground."""

    partners: Annotated[tuple[str, ...], Attribute("with")] = ()
    basis: Annotated[str, Attribute("bas")] = ""
    consent: Annotated[bool, Attribute("consent")] = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Located:
    """How the person was found."""

    found: Annotated[datetime | None, Attribute("found")] = None
    place: Annotated[str, Words("Place")] = ""
    found_by: Annotated[str, Words("By")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Debriefed:
    """What the person said on return."""

    interview_offered: Annotated[bool, Attribute("interview")] = False
    account: Annotated[str, Words("Account")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Closed:
    """Why the report was closed."""

    reason: Annotated[str, Words("Reason")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Summary:
    """One report in one line, and the person who was found in it."""

    reference: Annotated[str, Attribute("ref")]
    type: Annotated[str, Attribute("typ")] = ""
    status: Annotated[str, Attribute("sta")] = ""
    risk: Annotated[str, Attribute("rsk")] = ""
    role: Annotated[str, Attribute("rol")] = ""
    created: Annotated[datetime | None, Attribute("cre")] = None
    last_seen: Annotated[datetime | None, Attribute("seen")] = None
    restricted: Annotated[bool, Attribute("restricted")] = False
    person: Annotated[Person, Part("Person")]
    line: Annotated[str, Words("Line")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """One report in full; exactly one of `missing`, `child` and `adult` is there."""

    review_due: Annotated[datetime | None, Attribute("due")] = None
    summary: Annotated[Summary, Part("Summary")]
    missing: Annotated[Missing | None, Part("Missing")] = None
    child: Annotated[Child | None, Part("Child")] = None
    adult: Annotated[Adult | None, Part("Adult")] = None
    people: Annotated[tuple[Linked, ...], Part("Linked")] = ()
    assessments: Annotated[tuple[Assessment, ...], Part("Assessment")] = ()
    sharing: Annotated[Sharing | None, Part("Sharing")] = None
    located: Annotated[Located | None, Part("Located")] = None
    debriefed: Annotated[Debriefed | None, Part("Debriefed")] = None
    closed: Annotated[Closed | None, Part("Closed")] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Remark:
    """Something that Merlin wants known beside its answer."""

    code: Annotated[str, Attribute("cod")] = ""
    text: Annotated[str, Words("Text")] = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Find:
    """Asks for the reports in which somebody has a part; names fit by their beginnings."""

    surname: Annotated[str, Attribute("sur")] = ""
    forenames: Annotated[str, Attribute("fore")] = ""
    born: Annotated[Day, Attribute("dob")] = UNKNOWN_DAY
    type: Annotated[str, Attribute("typ")] = ""
    """'' for all."""
    open_only: Annotated[bool, Attribute("open")] = False
    most: Annotated[int, Attribute("max")] = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Found:
    """Answers `Find`; `more` counts only what the asker may see."""

    as_at: Annotated[datetime, Attribute("asat")]
    more: Annotated[bool, Attribute("more")] = False
    reports: Annotated[tuple[Summary, ...], Part("Summary")] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fetch:
    """Asks for one report."""

    reference: Annotated[str, Attribute("ref")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fetched:
    """Answers `Fetch`."""

    as_at: Annotated[datetime, Attribute("asat")]
    report: Annotated[Report, Part("Report")]
    remarks: Annotated[tuple[Remark, ...], Part("Remark")] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Raise:
    """Asks for a report to be raised, once for each submission."""

    submission: Annotated[str, Attribute("sub")]
    type: Annotated[str, Attribute("typ")]
    summary: Annotated[str, Words("Line")] = ""
    subject: Annotated[Person, Part("Person")]
    assessment: Annotated[Assessment, Part("Assessment")]
    missing: Annotated[Missing | None, Part("Missing")] = None
    child: Annotated[Child | None, Part("Child")] = None
    adult: Annotated[Adult | None, Part("Adult")] = None
    people: Annotated[tuple[Linked, ...], Part("Linked")] = ()
    sharing: Annotated[Sharing | None, Part("Sharing")] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Raised:
    """Answers `Raise`."""

    as_at: Annotated[datetime, Attribute("asat")]
    reference: Annotated[str, Attribute("ref")]
    created: Annotated[datetime, Attribute("cre")]
    review_due: Annotated[datetime | None, Attribute("due")] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Amend:
    """Asks for one change to a report; exactly one of the last four is there."""

    reference: Annotated[str, Attribute("ref")]
    assessment: Annotated[Assessment | None, Part("Assessment")] = None
    located: Annotated[Located | None, Part("Located")] = None
    debriefed: Annotated[Debriefed | None, Part("Debriefed")] = None
    closed: Annotated[Closed | None, Part("Closed")] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Amended:
    """Answers `Amend`: where the report stands now."""

    as_at: Annotated[datetime, Attribute("asat")]
    status: Annotated[str, Attribute("sta")] = ""
    risk: Annotated[str, Attribute("rsk")] = ""
    review_due: Annotated[datetime | None, Attribute("due")] = None
