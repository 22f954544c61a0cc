"""What is fuzzed of the footwear database: its answers, and questions as its simulator reads them."""

from adapters.footwear import translate, wire
from adapters.footwear.records import Answer, Found, Question, Refused
from adapters.footwear.upstream import _fault
from tests.fuzz.declaring import Decoder


def translated(record: Question | Answer) -> object:
    """The contract's message of what was found, the fault of a refusal."""
    if isinstance(record, Found):
        return translate.impressions(record), record.impressions and translate.impression(record)
    return _fault(record) if isinstance(record, Refused) else None


DECODERS = (Decoder(name="document", decode=wire.decode, refuses=(wire.WireError,), encode=wire.encode, translate=translated),)
