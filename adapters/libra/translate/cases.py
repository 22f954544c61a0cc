"""A case: the contract's message to the SPI record and back. Pure."""

from adapters.libra import cases_sent as spi
from adapters.libra import records
from adapters.libra.translate import shared
from adapters.libra.vocabulary import INITIATION, LANGUAGE, REMAND, SUMMONS
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.pole_pb2 import PersonName
from metip.libra.v1 import case_pb2 as contract
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.options.v1.options_pb2 import PURPOSE_PROSECUTION


def case_record(request: SubmitCaseRequest) -> spi.NewCase:
    """The document of a submission. Raises `ValueError` for a date that no calendar has."""
    initiation, summons = INITIATION.code(request.initiation), SUMMONS.code(request.summons_type)
    case = spi.Case(
        pti_urn=shared.raw_of(request.pti_urn),
        originating_organisation=request.originating_organisation,
        initiation_code=initiation if summons else "",
        summons_code=summons,
        case_initiation="" if summons else initiation,
        informant=request.informant,
        cps_organisation=request.cps_organisation,
        case_marker=request.case_marker,
        hearing=shared.hearing_record(request.initial_hearing) if request.HasField("initial_hearing") else None,
        operator_licence=request.vehicle_operator_licence_number,
        officer=_officer_record(request.officer_in_case) if request.HasField("officer_in_case") else None,
        defendants=tuple(_defendant_record(one) for one in request.defendants),
    )
    return spi.NewCase(case=case, aside=tuple(records.Aside(one.path, one.xml) for one in request.kept_aside))


def case_message(record: spi.NewCase, *, submission: int = 1) -> SubmitCaseRequest:
    """The submission that a document says, facts for facts; the document itself does not number it."""
    case = record.case or spi.Case()
    return SubmitCaseRequest(
        access=AccessContext(purpose=PURPOSE_PROSECUTION),
        pti_urn=shared.pti_urn(case.pti_urn),
        submission=submission,
        originating_organisation=case.originating_organisation,
        initiation=INITIATION.value(case.initiation_code or case.case_initiation),
        summons_type=SUMMONS.value(case.summons_code),
        informant=case.informant,
        cps_organisation=case.cps_organisation,
        case_marker=case.case_marker,
        initial_hearing=shared.hearing(case.hearing),
        vehicle_operator_licence_number=case.operator_licence,
        officer_in_case=_officer(case.officer) if case.officer else None,
        defendants=[_defendant(one) for one in case.defendants],
        kept_aside=shared.kept(record.aside),
    )


def _officer(record: spi.Officer) -> contract.OfficerInCase:
    return contract.OfficerInCase(
        name=shared.name(record.name),
        rank=record.rank,
        worker_reference=record.reference,
        worker_location=record.location,
        address=shared.address(record.address),
        contact=shared.contact(record.telephones, record.emails),
        dx_address=record.dx,
        fax=record.fax,
    )


def _officer_record(message: contract.OfficerInCase) -> spi.Officer:
    return spi.Officer(
        name=shared.name_record(message.name) if message.HasField("name") else None,
        rank=message.rank,
        reference=message.worker_reference,
        location=message.worker_location,
        address=shared.address_record(message.address) if message.HasField("address") else None,
        telephones=shared.telephones_record(message.contact),
        dx=message.dx_address,
        fax=message.fax,
        emails=shared.emails_record(message.contact),
    )


def _defendant(record: spi.Defendant) -> contract.CaseDefendant:
    return contract.CaseDefendant(
        arrest_summons_number=shared.asn(record.reference),
        individual=_individual(record.individual) if record.individual else None,
        corporate=_corporate(record.corporate) if record.corporate else None,
        offences=[
            contract.CaseOffence(
                details=shared.offence(one.base), prosecution_facts=one.facts, victims=[_victim(victim) for victim in one.victims]
            )
            for one in record.offences
        ],
    )


def _defendant_record(message: contract.CaseDefendant) -> spi.Defendant:
    party = message.WhichOneof("party")
    return spi.Defendant(
        reference=shared.raw_of(message.arrest_summons_number),
        individual=_individual_record(message.individual) if party == "individual" else None,
        corporate=_corporate_record(message.corporate) if party == "corporate" else None,
        offences=tuple(
            spi.CaseOffence(
                base=shared.offence_record(one.details) if one.HasField("details") else None,
                facts=one.prosecution_facts,
                victims=tuple(_victim_record(victim) for victim in one.victims),
            )
            for one in message.offences
        ),
    )


def _individual(record: spi.Individual) -> contract.IndividualDefendant:
    person, languages = record.person or records.PersonDefendant(), record.languages or spi.Languages()
    driver = record.driver or spi.Driver()
    licence = contract.DrivingLicence(
        driver_number=driver.number, code=driver.code, issue=driver.issue, counterpart_issue=record.counterpart_issue
    )
    return contract.IndividualDefendant(
        details=shared.person(person.details),
        pnc_id=shared.pnc_id(person.pnc_id),
        nationality=person.nationality,
        bail_conditions=person.bail_conditions,
        perceived_birth_year=record.perceived_birth_year or 0,
        address=shared.address(record.address),
        ethnicity=_ethnicity(record.ethnicity),
        occupation_code=record.occupation_code,
        occupation=record.occupation,
        cro_number=shared.cro(record.cro),
        offender_code=record.offender_code,
        custody_status=REMAND.value(record.custody_status),
        documentation_language=LANGUAGE.value(languages.documents),
        hearing_language=LANGUAGE.value(languages.hearing),
        language_needs=record.language_needs,
        special_needs=record.special_needs,
        driving_licence=licence if licence.ByteSize() else None,
        aliases=[shared.name(one) or PersonName() for one in record.aliases],
        guardian=_guardian(record.guardian) if record.guardian else None,
    )


def _individual_record(message: contract.IndividualDefendant) -> spi.Individual:
    licence = message.driving_licence
    driver = spi.Driver(number=licence.driver_number, code=licence.code, issue=licence.issue)
    languages = spi.Languages(documents=LANGUAGE.code(message.documentation_language), hearing=LANGUAGE.code(message.hearing_language))
    return spi.Individual(
        person=records.PersonDefendant(
            details=shared.person_record(message.details) if message.HasField("details") else None,
            pnc_id=shared.raw_of(message.pnc_id),
            nationality=message.nationality,
            bail_conditions=message.bail_conditions,
        ),
        perceived_birth_year=message.perceived_birth_year or None,
        address=shared.address_record(message.address) if message.HasField("address") else None,
        ethnicity=_ethnicity_record(message),
        occupation_code=message.occupation_code,
        occupation=message.occupation,
        cro=shared.raw_of(message.cro_number),
        offender_code=message.offender_code,
        custody_status=REMAND.code(message.custody_status),
        languages=languages if languages != spi.Languages() else None,
        language_needs=message.language_needs,
        special_needs=message.special_needs,
        driver=driver if driver != spi.Driver() else None,
        counterpart_issue=licence.counterpart_issue,
        aliases=tuple(shared.name_record(one) for one in message.aliases),
        guardian=_guardian_record(message.guardian) if message.HasField("guardian") else None,
    )


def _corporate(record: spi.Corporate) -> contract.CorporateDefendant:
    telephones = records.Telephones(business=record.telephone) if record.telephone else None
    return contract.CorporateDefendant(
        name=record.organisation.name if record.organisation else "",
        contact=shared.contact(telephones, record.emails),
        pnc_id=shared.pnc_id(record.pnc_id),
        address=shared.address(record.address),
        cro_number=shared.cro(record.cro),
        aliases=record.aliases,
    )


def _corporate_record(message: contract.CorporateDefendant) -> spi.Corporate:
    return spi.Corporate(
        organisation=records.Organisation(name=message.name),
        telephone=message.contact.business_telephone,
        emails=shared.emails_record(message.contact),
        pnc_id=shared.raw_of(message.pnc_id),
        address=shared.address_record(message.address) if message.HasField("address") else None,
        cro=shared.raw_of(message.cro_number),
        aliases=tuple(message.aliases),
    )


def _guardian(record: spi.Guardian) -> contract.Guardian:
    return contract.Guardian(
        details=shared.person(record.details), address=shared.address(record.address), ethnicity=_ethnicity(record.ethnicity)
    )


def _guardian_record(message: contract.Guardian) -> spi.Guardian:
    return spi.Guardian(
        details=shared.person_record(message.details) if message.HasField("details") else None,
        address=shared.address_record(message.address) if message.HasField("address") else None,
        ethnicity=_ethnicity_record(message),
    )


def _victim(record: spi.Victim) -> contract.Victim:
    return contract.Victim(
        name=shared.name(record.name),
        address=shared.address(record.address),
        contact=shared.contact(record.telephones, record.emails),
        date_of_birth=shared.day(record.born),
        sex=shared.sex(record.gender),
        ethnicity=_ethnicity(record.ethnicity),
    )


def _victim_record(message: contract.Victim) -> spi.Victim:
    return spi.Victim(
        name=shared.name_record(message.name) if message.HasField("name") else None,
        address=shared.address_record(message.address) if message.HasField("address") else None,
        telephones=shared.telephones_record(message.contact),
        emails=shared.emails_record(message.contact),
        born=shared.day_of(message, "date_of_birth"),
        gender=shared.gender(message),
        ethnicity=_ethnicity_record(message),
    )


def _ethnicity(record: spi.Ethnicity | None) -> contract.Ethnicity | None:
    return contract.Ethnicity(observed=record.observed, self_defined=record.stated) if record else None


def _ethnicity_record(message: contract.IndividualDefendant | contract.Guardian | contract.Victim) -> spi.Ethnicity | None:
    if not message.HasField("ethnicity"):
        return None
    said = message.ethnicity
    return spi.Ethnicity(observed=said.observed if said.HasField("observed") else None, stated=said.self_defined)
