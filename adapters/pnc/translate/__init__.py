"""Between the contract's messages and the host's records; pure: nothing here knows of sockets, clocks or sessions."""

from adapters.pnc.translate.cases import arrest_summons, number_key
from adapters.pnc.translate.enquiries import by_number, candidates, last_refresh, person, search, vehicle, vehicle_key
from adapters.pnc.translate.updates import deferred_sentence, disposal, disposal_receipt, receipt, remand, variation

__all__ = [
    "arrest_summons",
    "by_number",
    "candidates",
    "deferred_sentence",
    "disposal",
    "disposal_receipt",
    "last_refresh",
    "number_key",
    "person",
    "receipt",
    "remand",
    "search",
    "variation",
    "vehicle",
    "vehicle_key",
]
