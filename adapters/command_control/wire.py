"""The codec of Multi Agency Incident Transfer messages: native records to XML documents and back, with no I/O.

Names of elements and attributes, the namespace and the paths are assumed. What no record has is passed over, except the `Extension` of a
message, which is kept as it is.
"""

from typing import Final

from adapters.command_control.records import ANSWERS, QUESTIONS, Message, Refused
from adapters.kit.documents import Documents, WireError
from adapters.kit.mirror import VALUES

__all__ = ["CONTENT_TYPE", "ENQUIRIES", "MESSAGES", "SPOKEN", "WireError", "decode", "encode"]

SPOKEN: Final = "1.0"
"""The version of the standard that is written; any 1.x is read."""
MESSAGES, ENQUIRIES = "/mait/1.0/messages", "/mait/1.0/enquiries"
CONTENT_TYPE: Final = "application/xml; charset=utf-8"
_DOCUMENTS = Documents("urn:x-mait:incident-transfer:1.0", (Message, *QUESTIONS, *ANSWERS, Refused), VALUES, kept="Extension")
encode, decode = _DOCUMENTS.encode, _DOCUMENTS.decode
