"""How each field is compared: the contract's `parity` options, read once per field."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor

from metip.masking import field_options
from metip.options.v1 import options_pb2 as options

Text = Callable[[str], str]


def unaccented(text: str) -> str:
    """Letters without their marks, as one letter each."""
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


STEPS: Final[dict[int, Text]] = {
    options.NORMALISE_TRIM: str.strip,
    options.NORMALISE_COLLAPSE_SPACES: lambda text: " ".join(text.split()),
    options.NORMALISE_FOLD_CASE: str.casefold,
    options.NORMALISE_DIGITS: lambda text: "".join(filter(str.isdigit, text)),
    options.NORMALISE_LETTERS_AND_DIGITS: lambda text: "".join(filter(str.isalnum, text)),
    options.NORMALISE_UNACCENTED: unaccented,
    options.NORMALISE_LEADING_ZEROS: lambda text: text.lstrip("0"),
}
"""What each step makes of a text. NORMALISE_DATE is not among them: it is for instants."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is compared."""

    ignore: bool = False
    unordered: bool = False
    tolerance: float = 0.0
    normalise: Text | None = None
    by_day: bool = False
    """Of an instant only its day in London counts."""
    identified_by: tuple[str, ...] = ()
    unset_is_default: bool = False
    clock: bool = False


PLAIN: Final = Rule()


def rule(said: options.Parity) -> Rule:
    """The rule that an option states."""
    steps = tuple(STEPS[one] for one in said.normalise if one in STEPS)
    return Rule(
        ignore=said.ignore,
        unordered=said.unordered,
        tolerance=said.tolerance,
        normalise=_after_one_another(steps) if steps else None,
        by_day=options.NORMALISE_DATE in said.normalise,
        identified_by=tuple(said.identified_by),
        unset_is_default=said.unset_is_default,
        clock=said.clock,
    )


@lru_cache(maxsize=8192)
def rule_of(field: FieldDescriptor) -> Rule:
    """The rule of a field."""
    said = field_options(field)
    return rule(said.parity) if said.HasField("parity") else PLAIN


def rule_of_replies(method: MethodDescriptor) -> Rule:
    """The rule by which the replies of a stream are compared."""
    said = descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString()).Extensions[options.operation]
    return rule(said.parity)


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    kind: Any = field.message_type
    return kind is not None and bool(kind.GetOptions().map_entry)


def _after_one_another(steps: tuple[Text, ...]) -> Text:
    if len(steps) == 1:
        return steps[0]

    def normalise(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return normalise
