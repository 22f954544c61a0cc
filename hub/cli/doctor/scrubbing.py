"""Takes out of texts whatever could be personal or secret: a second line behind logs and answers that hold neither. Pure.

Masked are identifiers that any parser of `metip.identifiers` accepts, people's names on machines (`os://…`, `sso://…`, home folders),
e-mail and network addresses other than this machine's, tokens and keys, written reasons, and in free text what stands in quotation marks.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from metip.identifiers import PARSERS
from metip.masking import MASK

SECRET: Final = re.compile(
    r"private_?key|password|secret|inline_(?:bytes|string)|^token$|api_?key|local_jwks|proto_descriptor", re.IGNORECASE
)
"""Members whose value is left out, whatever it is: certificates and public keys too, since nobody needs them to find a fault, and
descriptors for their size."""
WRITTEN: Final = frozenset(
    {"because", "reason_given", "justification", "attested", "author", "approver", "operator", "detail", "officer", "by", "from", "said"}
)
"""Members that people wrote, or that name them or their devices."""
PERSONAL: Final = (
    "pnc_id", "cro", "driver_number", "national_insurance_number", "arrest_summons_number", "court_case_reference", "pti_urn",
    "notice_number", "uln", "learner_id", "vrm", "vin", "cris_crime_reference", "cad_number", "custody_number", "merlin_reference", "uprn",
)  # fmt: skip
"""Kinds of identifiers by which a person, or what belongs to one, is found."""
KEPT: Final = frozenset(
    {
        "at", "level", "event", "system", "instance", "worker", "call_id", "trace_id", "operation", "interface", "consumer",
        "path", "status", "reason", "domain", "grpc_status", "http_status", "flags", "details", "cluster", "upstream",
        "refused", "listener", "tls_failure", "version", "state", "cause", "outcome", "subscription", "engine", "journal",
        "resources", "kind", "name", "phase", "process", "simulator", "address", "socket", "digest",
    }
)  # fmt: skip
"""Members of a log line whose text is a word of the platform's own; the text of any other is masked."""
LEFT_OUT: Final = "[left out]"
ROOT: Final = "root"
SHORT: Final = 2
"""Letters of a user's name that is too short to be told from a word."""
LONG_NUMBER: Final = 10
"""Digits from which on a number may be an identifier; shorter ones are ports, counts and times."""

_WORD = re.compile(
    r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"  # a time, parts of which look like a number plate
    r"|(?<![A-Za-z0-9_])(?P<word>[A-Z0-9][A-Z0-9/]{4,27})(?![A-Za-z0-9_])"
)
_PEOPLE = re.compile(r"\b(os|sso)://[^\s\"',]+")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}")
_ADDRESS = re.compile(r"(?<![\w.])(?!127\.|0\.0\.0\.0|10\.255\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.])")
_BEARER = re.compile(r"\b(?:Bearer\s+)?eyJ[\w-]{8,}(?:\.[\w-]+){0,2}|-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|$)", re.DOTALL)
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|“[^”\n]*”")
_RAISED = re.compile(r"^(\s*[A-Za-z_][\w.]*(?:Error|Exception|Fault|Warning)\b:?).*$", re.MULTILINE)
_FRAME = re.compile(r'^\s*File "[^"]*", line [0-9]+, in ')


@dataclass(frozen=True)
class Scrubber:
    """What is to be taken out besides: folders and names of this machine, by what stands in their place."""

    places: Mapping[str, str] = field(default_factory=dict)
    user: str = ""

    def text(self, text: str) -> str:
        """A text of the platform's own, such as a setting or the result of a check."""
        text = _BEARER.sub(LEFT_OUT, text)
        for place in sorted(self.places, key=len, reverse=True):
            text = text.replace(place, self.places[place])
        if len(self.user) > SHORT and self.user != ROOT:
            text = re.sub(rf"(?<![\w]){re.escape(self.user)}(?![\w])", "<user>", text)
        text = _PEOPLE.sub(rf"\1://{MASK}", text)
        text = _MAIL.sub(MASK, text)
        text = _ADDRESS.sub(MASK, text)
        return _WORD.sub(_shown, text)

    def free(self, text: str) -> str:
        """A text that anything may stand in, such as what a process printed as it fell."""
        if _FRAME.match(text):
            return self.text(text)
        return self.text(_QUOTED.sub(MASK, _RAISED.sub(rf"\1 {MASK}", text)))

    def document(self, value: Any, name: str = "") -> Any:
        """A document: secrets are left out, what people wrote is masked, every other text is scrubbed; names of members too."""
        if name and SECRET.search(name):
            return LEFT_OUT
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.document(one, str(key)) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(one, name) for one in value]
        if isinstance(value, str):
            return MASK if value and name in WRITTEN else self.text(value)
        return value

    def lines(self, lines: list[str]) -> Iterator[str]:
        """Lines of a log: of one that is JSON, numbers and the platform's own words; of any other, free text."""
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                said = None
            if isinstance(said, dict):
                yield json.dumps({key: self._member(key, value) for key, value in said.items()}, ensure_ascii=False)
            else:
                yield self.free(line)

    def _member(self, key: str, value: Any) -> Any:
        if SECRET.search(key):
            return LEFT_OUT
        if isinstance(value, bool | int | float) or value is None:
            return value
        return self.document(value, key) if key in KEPT else MASK


def _shown(found: re.Match[str]) -> str:
    word = found["word"] or ""
    decimals = word.isdigit() and found.string[: found.start()].endswith(".")
    return MASK if word and not decimals and identifier(word) else found[0]


def identifier(text: str) -> bool:
    """Whether a word in capitals or a number is an identifier of a person, or of what belongs to one."""
    if text.isalpha() or (text.isdigit() and len(text) < LONG_NUMBER):
        return False
    return any(PARSERS[kind](text).canonical for kind in PERSONAL)
