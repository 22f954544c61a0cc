"""Response codes of the CJS Exchange (HMCTS, staging prosecutors SPI), for its transport and for what courts answer later."""

from collections.abc import Mapping
from typing import Final

from metip.tables import read_table

SUCCESS: Final = 1
RETRY: Final = frozenset({200, 201, 202})
"""Nothing is wrong with the document: send it again later."""
PREVIOUSLY_SENT: Final = 302
"""The same correlation id from the same system was taken before."""
TAKEN: Final = frozenset({SUCCESS, PREVIOUSLY_SENT})
INVALID_REQUEST_ID: Final = 306
INVALID_UNIT: Final = 308
INVALID_OFFENCE_CODE: Final = 309
RETRIEVE_NOT_AVAILABLE: Final = 309
"""The Common Platform's gateway answers every retrieval with this code, which it uses for offence codes too."""
UNUSABLE_DATA: Final = 1310
UNKNOWN_SOURCE: Final = 1317
UNKNOWN_DESTINATION: Final = 1318
SAME_SOURCE_AND_DESTINATION: Final = 1321
DISALLOWED_TYPE: Final = 1359

TEXTS: Final[Mapping[int, str]] = {int(code): text for code, text in read_table(__file__, "responses.yaml").items()}
"""What each code is called."""
NEW_CASE, RESULTS = "SPINewCase", "SPIResults"
"""Types of data streams."""
