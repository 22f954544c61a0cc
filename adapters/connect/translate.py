"""Between the contract and CONNECT's records: who asks, what is given, and which values may be passed on at all. Pure.

The law: values whose meaning is not known are left out, and the field group says so; a field of the same name in two sources is never
turned from one meaning into the other.
"""

from typing import Any, TypeVar

from google.protobuf.message import Message

from adapters.connect import codes, layout, wire
from adapters.connect.records import Page, Refused, Tree
from adapters.kit import Call
from adapters.kit.mapping import Table, document, filled
from metip.common.v1.access_pb2 import AccessContext
from metip.connect.v1 import change_service_pb2 as changes
from metip.connect.v1.entity_pb2 import FieldGroup
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION

SYSTEM, ACCOUNT, ROLE = "CONNECT", "METIPHUB", "restricted_records"
M = TypeVar("M", bound=Message)


def asker(access: AccessContext, call: Call, role: str = "") -> dict[str, str]:
    """Who asks, and why, as headers. `role` is that of officers who may see restricted records."""
    officer = call.officer
    return wire.headers(
        {
            "User": officer.warrant_number if officer else ACCOUNT,
            "Reason": codes.PURPOSE[access.purpose],
            "Reference": access.reference,
            "Justification": access.justification,
            "On-Behalf-Of": access.on_behalf_of,
            "Device": access.device_id,
            "Need-To-Know": "1" if officer and (role or ROLE) in officer.roles else "",
        }
    )


def new_record(message: Any, table: Table, meaning: tuple[str, str] = codes.OURS) -> Tree:
    """A record to be made, in the meaning of that source and version."""
    tree = document(message, table)
    said = dict(zip(("source", "semanticVersion"), meaning, strict=True))
    links = [{**link, "role": codes.SUBJECT} for link in tree.get("links", ())]
    sections = {name: {**said, **section} for name, section in tree["sections"].items()}
    return {**tree, "sections": sections, **({"links": links} if links else {})}


def listed(response: M, page: Page, table: Table) -> M:
    """A page of summaries, put into the response's list of them, its first field."""
    answer: Any = response
    for found in page.items:
        filled(getattr(answer, answer.DESCRIPTOR.fields[0].name).add(), table, _understood(found)[0])
    answer.next_page_token = page.next
    answer.provenance.system, answer.provenance.truncated = SYSTEM, bool(page.next)
    return filled(response, (layout.AS_AT,), {"asAt": page.as_at or None})


def told(response: M, found: Tree | Refused, table: Table) -> M:
    """One record or what became of a command; or where the record went."""
    answer: Any = response
    answer.provenance.system = SYSTEM
    if isinstance(found, Refused):
        filled(answer, layout.MERGED, {"movedTo": found.moved_to, "mergedAt": found.merged_at})
        return response
    known, groups = _understood(found)
    if groups and "record" in answer.DESCRIPTOR.fields_by_name:
        answer.record.field_groups.extend(groups)
    if table is layout.CUSTODY_RECORD:
        table = layout.CUSTODY_RECORDS.get(known["sections"].get("care", {}).get("source"), table)
    filled(answer, table, known)
    return response


def change(found: Tree) -> changes.PublishChangeRequest | None:
    """A change as it is published; None for one that nobody may learn of. A record that is restricted now is only ever said to be gone; so
    is one that went into such a record, until it comes out of it again."""
    access = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION)
    request = filled(changes.PublishChangeRequest(access=access), layout.CHANGE, found)
    if found.get("restricted", False) is not False and found.get("change") != codes.HIDDEN:
        return None
    if found.get("otherRestricted", False) is not False:
        request.change = changes.CHANGE_KIND_CREATED if request.change == changes.CHANGE_KIND_UNMERGED else changes.CHANGE_KIND_WITHDRAWN
        request.ClearField("counterpart")
    return request


def _understood(found: Tree) -> tuple[Tree, list[FieldGroup]]:
    """A record with the sections whose meaning is known, and what each section is."""
    known, groups, sections = {}, [], found.get("sections", {})
    for name, section in sections.items() if isinstance(sections, dict) else ():
        number: Any = codes.SECTION.get(name, 0)
        group = filled(FieldGroup(section=number), layout.GROUP, section if isinstance(section, dict) else {})
        group.left_out = codes.MAJOR.get(group.source_code) != group.semantic_version.partition(".")[0]
        groups.append(group)
        if not group.left_out:
            known[name] = section
    return {**found, "sections": known}, groups
