"""Names of the files. They are CSV with a manifest each, written and read as `adapters.kit.tables` does. Everything is assumed.

PRG_LP01_20261101_0001.csv        learner_id,sequence,recorded,…
PRG_LP01_20261101_0001.manifest   file,rows,sha256,schema,code_set,created
"""

import re

from adapters.kit.drops import CSV
from adapters.kit.tables import Damaged, Incomplete, Manifest, Rejection, decode, decode_all, encode

__all__ = ["CSV", "Damaged", "Incomplete", "Manifest", "Rejection", "day_of", "decode", "decode_all", "encode"]

SCHEMA = "2"
PROGRESS, ROSTER, STATEMENT, ENROLMENTS, REPORT, RECEIPT = "PRG_", "LRN_", "STM_", "ENR_", "REC_", "RCP_"
"""How names begin; a receipt's goes on with the name of what it is a receipt of."""
NAME = re.compile(r"(RCP_)?(PRG|LRN|STM|ENR|REC)_[A-Z0-9]{2,6}_(?P<day>[0-9]{8})_[0-9]{4,20}")


def day_of(name: str) -> str:
    """The day in a name without its ending, `yyyymmdd`; '' in what is no name of a file."""
    found = NAME.fullmatch(name)
    return found["day"] if found else ""
