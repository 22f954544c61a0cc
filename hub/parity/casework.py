"""Makes a case of a pair, so that today's surprise is tomorrow's test: what was asked, and what the primary answered."""

from typing import Any, Final

from google.protobuf import any_pb2, text_format
from google.protobuf.message import Message
from google.rpc import code_pb2

from hub.parity.answers import Compared
from hub.parity.pairs import Answer, Pair
from hub.parity.rules import is_map, rule_of

HEAD: Final = "# proto-file: protos/metip/cases/v1/case.proto\n# proto-message: metip.cases.v1.Case\n"


def case_text(pair: Pair, read: Compared, field: str, pool: Any) -> str:
    """The pair as the text of a `metip.cases.v1.Case`; what the comparison ignores is not expected. `pool` knows the operation's types."""
    from metip.cases.v1.case_pb2 import Case

    case = Case(title=f"Old and new differed in {field}", operation=pair.operation)
    case.request.CopyFrom(_packed(read.request.FromString(pair.request)))
    primary = pair.primary
    if primary.code:
        case.refused.status, case.refused.reason = code_pb2.Code.Name(primary.code), primary.reason
    else:
        for reply in _replies(primary, read):
            _without_ignored(reply)
            case.answered.replies.append(_packed(reply))
    return HEAD + text_format.MessageToString(case, as_utf8=True, descriptor_pool=pool)


def _replies(answer: Answer, read: Compared) -> list[Message]:
    return [read.reply.FromString(one) for one in (answer.replies if read.streams else (answer.reply,))]


def _packed(message: Message) -> any_pb2.Any:
    return any_pb2.Any(type_url=f"type.googleapis.com/{message.DESCRIPTOR.full_name}", value=message.SerializeToString(deterministic=True))


def _without_ignored(message: Any) -> None:
    for field, value in message.ListFields():
        rule = rule_of(field)
        if rule.ignore or rule.clock:
            message.ClearField(field.name)
        elif field.message_type is not None and not is_map(field):
            for one in value if field.is_repeated else (value,):
                _without_ignored(one)
