"""Courts' codes in PNC's own: results to disposal codes, pleas and verdicts to its words; pure.

Facts of Bichard 7's standing data (ministryofjustice/bichard7-next-data, MIT). There, 832 of the 898 result codes of the criminal justice
system are PNC's disposal codes too, and 66 are another one. Here stand the common ones of both kinds only, so that a result which nobody
has looked at goes to a person instead of onto somebody's record.
"""

from collections.abc import Mapping
from typing import Final

from metip.libra.v1.result_pb2 import CourtDurationUnit, CourtFinding, CourtPlea
from metip.pnc.v1.court_case_pb2 import DurationUnit, Finding, Plea

CARRIED_FORWARD: Final = 2059
"""The disposal of an offence that an adjournment takes out of a case whose other offences are decided."""
NOT_SENT: Final = frozenset({1000})
"""Results in words alone, which Bichard 7 keeps from PNC."""

DISPOSALS: Final = frozenset(
    {
        # Sentences: prison, detention, hospital, fine, bound over, discharges, no separate penalty, orders.
        *(1002, 1003, 1007, 1008, 1015, 1016, 1017, 1018, 1021, 1024, 1029, 1030, 1040, 1052, 1057, 1080, 1081, 1085, 1087, 1097, 1100),
        *(1115, 1116, 1134, 1141, 1142, 1177, 1179),
        # Ended without one: not guilty, acquitted, dismissed, adjourned for good, on file, withdrawn, discontinued, replaced, stayed.
        *(2004, 2005, 2006, 2007, 2008, 2009, 2050, 2051, 2053, 2060, 2061, 2063, 2064, 2065, 2066, 2068),
        # Beside a sentence: deportation, driving, costs, compensation, forfeiture, restraint, requirements, surcharge.
        *(3006, 3007, 3008, 3011, 3012, 3027, 3047, 3050, 3052, 3054, 3055, 3056, 3070, 3071, 3072, 3073, 3074, 3080, 3096),
        *(3101, 3102, 3103, 3104, 3105, 3106, 3107, 3108, 3109, 3110, 3111, 3117, 3146),
        # Sentence to follow: here, or at the Crown Court.
        *(4001, 4004, 4005, 4011, 4012, 4013, 4014, 4015, 4016, 4017),
    }
)
"""Result codes that are the disposal code."""
OTHERS: Final[Mapping[int, int]] = {1507: 1002, 2503: 2065, 4020: 4015, 4021: 4016, 4025: 4001}
"""Result codes that are recorded as another disposal, whatever was found."""
ADJOURNED: Final[Mapping[int, int]] = {
    # Remanded: on conditional bail, in custody, to a local authority, in secure accommodation, with a direction, on unconditional bail.
    **{code: code for code in (4027, 4028, 4029, 4030, 4046, 4047, 4051)},
    # Adjournment and the remands of a later list, all recorded as a sentence that is postponed.
    **dict.fromkeys((4506, 4529, 4530, 4531, 4533, 4537, 4538, 4539, 4541, 4542, 4543), 4004),
    # Remitted to a youth court.
    4548: 4011,
    4549: 4012,
    4550: 4004,
    4551: 4012,
    4552: 4013,
}
"""Result codes of an adjournment: the disposal where the court has found; where it has not, the offence is carried forward."""

# By SPI code in the contract of the courts; Bichard 7's standing data has the codes of both sides.
PLEAS: Final[Mapping["CourtPlea.ValueType", "Plea.ValueType"]] = {
    CourtPlea.COURT_PLEA_UNSPECIFIED: Plea.PLEA_UNSPECIFIED,
    CourtPlea.COURT_PLEA_GUILTY: Plea.PLEA_GUILTY,
    CourtPlea.COURT_PLEA_NOT_GUILTY: Plea.PLEA_NOT_GUILTY,
    CourtPlea.COURT_PLEA_NONE: Plea.PLEA_NO_PLEA_TAKEN,
    CourtPlea.COURT_PLEA_CONSENTS: Plea.PLEA_CONSENTED,
    CourtPlea.COURT_PLEA_OPPOSED: Plea.PLEA_RESISTED,
    CourtPlea.COURT_PLEA_GUILTY_6: Plea.PLEA_GUILTY,
    CourtPlea.COURT_PLEA_ADMITS: Plea.PLEA_GUILTY,
    CourtPlea.COURT_PLEA_DENIES: Plea.PLEA_NOT_GUILTY,
}
FINDINGS: Final[Mapping["CourtFinding.ValueType", "Finding.ValueType"]] = {
    CourtFinding.COURT_FINDING_UNSPECIFIED: Finding.FINDING_UNSPECIFIED,
    CourtFinding.COURT_FINDING_GUILTY: Finding.FINDING_GUILTY,
    CourtFinding.COURT_FINDING_NOT_GUILTY: Finding.FINDING_NOT_GUILTY,
    # Guilty of another offence is not guilty of this one.
    CourtFinding.COURT_FINDING_GUILTY_OF_ALTERNATIVE: Finding.FINDING_NOT_GUILTY,
    CourtFinding.COURT_FINDING_NO_CONVICTION: Finding.FINDING_NON_CONVICTION,
}
UNITS: Final[Mapping["CourtDurationUnit.ValueType", "DurationUnit.ValueType"]] = {
    CourtDurationUnit.COURT_DURATION_UNIT_DAYS: DurationUnit.DURATION_UNIT_DAYS,
    CourtDurationUnit.COURT_DURATION_UNIT_HOURS: DurationUnit.DURATION_UNIT_HOURS,
    CourtDurationUnit.COURT_DURATION_UNIT_WEEKS: DurationUnit.DURATION_UNIT_WEEKS,
    CourtDurationUnit.COURT_DURATION_UNIT_MONTHS: DurationUnit.DURATION_UNIT_MONTHS,
    CourtDurationUnit.COURT_DURATION_UNIT_YEARS: DurationUnit.DURATION_UNIT_YEARS,
    CourtDurationUnit.COURT_DURATION_UNIT_SESSIONS: DurationUnit.DURATION_UNIT_SESSIONS,
    CourtDurationUnit.COURT_DURATION_UNIT_LIFE: DurationUnit.DURATION_UNIT_LIFE,
}

# PNC holds recordable offences: those for which one may go to prison, and those of the schedule to the National Police Records (Recordable
# Offences) Regulations 2000. No contract says which are, and the courts' list of 15,352 codes is not ours to copy.
NOT_RECORDABLE: Final = frozenset({"RR84042", "RR84043", "RT88191"})
"""No insurance, and parking: PNC itself warns of these where they stand alone (I5069 in Bichard 7's recordings)."""
RECORDABLE: Final = frozenset(
    {
        *("CD71015", "CJ88001", "CJ88116", "FI68068", "OF61016", "PC53001", "RT88007", "RT88026"),
        *("TH68001", "TH68006", "TH68007", "TH68010", "TH68020", "TH68023", "TH68037", "TH68072", "TH68081", "TH68145", "TH68151"),
    }
)
"""Offences that Bichard 7's recordings show on file or added to it. Only these are ever added by us."""
