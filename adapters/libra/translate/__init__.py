"""The contract's messages to native records and back. Pure: no driver, no XML."""

from adapters.libra.translate.cases import case_message, case_record
from adapters.libra.translate.resulted import delivered, results, routed

__all__ = ["case_message", "case_record", "delivered", "results", "routed"]
