"""Says where a message breaks the rules of its contract: by path, never by value, so that it may be shown and logged."""

import protovalidate


def where(violation: protovalidate.Violation) -> str:
    """The path of the field that breaks the rule, such as `access.purpose` or `places[2].postcode`; empty for the message as a whole.

    A key of a map is left out, since it may be personal.
    """
    field = violation.proto.field
    return ".".join(_element(element) for element in field.elements) if field else ""


def _element(element: protovalidate.FieldPathElementPb) -> str:
    subscript = element.subscript
    return f"{element.field_name}[{subscript.value}]" if subscript is not None and subscript.field == "index" else str(element.field_name)
