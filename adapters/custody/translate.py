"""A custody record of NSPIS's as the message that is published; pure. Its codes stand in the tables here and nowhere else (assumed)."""

from collections.abc import Mapping

from adapters.custody import records
from adapters.kit.values import identifier, timestamp
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CustodyNumber, PncId
from metip.common.v1.pole_pb2 import SEX_FEMALE, SEX_MALE, SEX_NOT_SPECIFIED, SEX_UNSPECIFIED, Person, PersonName, Sex
from metip.common.v1.time_pb2 import CivilDate
from metip.custody.v1 import custody_record_pb2 as message
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.options.v1.options_pb2 import PURPOSE_ARREST_DETENTION

SEXES: Mapping[str, "Sex.ValueType"] = {"M": SEX_MALE, "F": SEX_FEMALE, "U": SEX_NOT_SPECIFIED}
STATUSES: Mapping[str, "message.RecordStatus.ValueType"] = {
    "OPN": message.RECORD_STATUS_OPENED,
    "UPD": message.RECORD_STATUS_UPDATED,
    "CLS": message.RECORD_STATUS_CLOSED,
}
AUTHORITIES: Mapping[str, "message.DetentionAuthority.ValueType"] = {
    "CO": message.DETENTION_AUTHORITY_CUSTODY_OFFICER,
    "SU": message.DETENTION_AUTHORITY_SUPERINTENDENT,
    "MC": message.DETENTION_AUTHORITY_MAGISTRATES,
}
METHODS: Mapping[str, "message.ReviewMethod.ValueType"] = {
    "P": message.REVIEW_METHOD_IN_PERSON,
    "T": message.REVIEW_METHOD_TELEPHONE,
    "V": message.REVIEW_METHOD_VIDEO,
}
RISKS: Mapping[str, "message.RiskLevel.ValueType"] = {
    "1": message.RISK_LEVEL_GENERAL,
    "2": message.RISK_LEVEL_INTERMITTENT,
    "3": message.RISK_LEVEL_CONSTANT,
    "4": message.RISK_LEVEL_CLOSE_PROXIMITY,
}
DISPOSALS: Mapping[str, "message.DisposalKind.ValueType"] = {
    "CHG": message.DISPOSAL_KIND_CHARGED,
    "CAU": message.DISPOSAL_KIND_CAUTIONED,
    "BPC": message.DISPOSAL_KIND_BAILED_BEFORE_CHARGE,
    "RUI": message.DISPOSAL_KIND_RELEASED_UNDER_INVESTIGATION,
    "NFA": message.DISPOSAL_KIND_NO_FURTHER_ACTION,
}
RELEASES: Mapping[str, "message.ReleaseKind.ValueType"] = {
    "UNC": message.RELEASE_KIND_UNCONDITIONAL,
    "BAI": message.RELEASE_KIND_ON_BAIL,
    "CRT": message.RELEASE_KIND_TO_COURT,
    "TRF": message.RELEASE_KIND_TRANSFERRED,
}
SCANS: Mapping[str, "message.ScanType.ValueType"] = {
    "D": message.SCAN_TYPE_DYNAMIC,
    "Z": message.SCAN_TYPE_ZOOMED,
    "R": message.SCAN_TYPE_ROLLED,
}
GIVEN_NAMES = 3
"""Given names that the contract has room for."""


def request(record: records.CustodyRecord) -> PublishCustodyRecordRequest:
    """The message. A code that no table has becomes unspecified; where the contract wants one, the exchange refuses the message."""
    number = identifier(CustodyNumber, record.number)
    return PublishCustodyRecordRequest(
        access=AccessContext(purpose=PURPOSE_ARREST_DETENTION, reference=number.value),
        custody_record_number=number,
        version=record.version,
        record=message.CustodyRecord(
            status=STATUSES.get(record.status, message.RECORD_STATUS_UNSPECIFIED),
            recorded_at=timestamp(record.recorded),
            suite=record.suite,
            suite_name=record.suite_name,
            arrived_at=timestamp(record.arrived),
            arrest=_arrest(record.arrest),
            detained_person=_person(record.detainee),
            arrest_summons_number=identifier(ArrestSummonsNumber, record.asn) if record.asn else None,
            clock=_clock(record.clock) if record.clock else None,
            reviews=[_review(one) for one in record.reviews],
            risk=RISKS.get(record.risk, message.RISK_LEVEL_UNSPECIFIED),
            disposals=[_disposal(one) for one in record.disposals],
            release=_release(record.release) if record.release else None,
            footwear=_footwear(record.footwear) if record.footwear else None,
        ),
    )


def _arrest(held: records.Arrest) -> message.Arrest:
    offences = [message.ArrestOffence(number=one.number, cjs_offence_code=one.code, recordable=one.recordable) for one in held.offences]
    return message.Arrest(arrested_at=timestamp(held.at), place=held.place, officer=held.officer, offences=offences)


def _person(held: records.Detainee) -> Person:
    return Person(
        name=PersonName(given_names=held.forenames.split()[:GIVEN_NAMES], family_name=held.surname),
        date_of_birth=CivilDate(year=held.born.year, month=held.born.month, day=held.born.day) if held.born else None,
        sex=SEXES.get(held.sex, SEX_UNSPECIFIED),
        observed_ethnicity=held.observed,
        self_defined_ethnicity=held.self_defined,
        height_cm=held.height,
        pnc_id=identifier(PncId, held.pnc_id) if held.pnc_id else None,
    )


def _clock(held: records.Clock) -> message.DetentionClock:
    return message.DetentionClock(
        relevant_time=timestamp(held.relevant),
        authorised_at=timestamp(held.authorised),
        expires_at=timestamp(held.expires),
        authority=AUTHORITIES.get(held.authority, message.DETENTION_AUTHORITY_UNSPECIFIED),
    )


def _review(held: records.Review) -> message.DetentionReview:
    method = METHODS.get(held.method, message.REVIEW_METHOD_UNSPECIFIED)
    return message.DetentionReview(due_at=timestamp(held.due), done_at=timestamp(held.done), officer=held.officer, method=method)


def _disposal(held: records.Disposal) -> message.OffenceDisposal:
    kind = DISPOSALS.get(held.kind, message.DISPOSAL_KIND_UNSPECIFIED)
    return message.OffenceDisposal(offence_number=held.offence, cjs_offence_code=held.code, kind=kind, decided_at=timestamp(held.at))


def _release(held: records.Release) -> message.Release:
    return message.Release(released_at=timestamp(held.at), kind=RELEASES.get(held.kind, message.RELEASE_KIND_UNSPECIFIED))


def _footwear(held: records.Footwear) -> message.Footwear:
    return message.Footwear(
        taken=held.taken,
        size=held.size,
        make=held.make,
        model=held.model,
        pattern_code=held.pattern,
        scan_type=SCANS.get(held.scan, message.SCAN_TYPE_UNSPECIFIED),
        scanned_at=timestamp(held.scanned),
    )
