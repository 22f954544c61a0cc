"""Systems that serve what another system owns: what their contracts must say.

The law: a back end stands for a system as an interface does, so it names who answers for it and under which assessment; with any fault it
does not load, and its instances get no call.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto

from metip.contracts import accountability, messages
from metip.contracts.model import BackEnd, Dpia, Fault
from metip.options.v1 import options_pb2 as options

Declared = Mapping[str, MethodDescriptorProto]


def declares(file: FileDescriptorProto) -> bool:
    """Whether a file makes its system a back end."""
    return file.options.HasExtension(options.back_end)


def back_end(file: FileDescriptorProto, declared: Declared) -> BackEnd:
    """The back end of a file without faults."""
    said = file.options.Extensions[options.back_end]
    return BackEnd(
        system=_system(file),
        owner=said.owner,
        dpia=Dpia(said.dpia.reference, date.fromisoformat(said.dpia.review_by)),
        serves=tuple(sorted(said.serves)),
        subscribes=messages.subscriptions(file, said, declared),
        platform=options.Platform.Name(said.platform or options.PLATFORM_METIP2).removeprefix("PLATFORM_"),
    )


def faults(file: FileDescriptorProto, declared: Declared, today: date, posts: messages.Posts = frozenset()) -> Iterator[Fault]:
    """Everything that is wrong with it."""
    said, name = file.options.Extensions[options.back_end], f"{file.package} back_end"
    yield from accountability.faults(name, said, "back_end", today)
    if not said.serves and not said.subscribes:
        yield Fault(name, "serves nothing", 'Add serves: ["metip.example.v1.ExampleService/GetExample"] to its back_end option')
    for operation in sorted(set(said.serves)):
        method = declared.get(operation)
        if method is None:
            yield Fault(name, f"serves {operation}, which no contract declares", "Correct the name in serves")
        elif messages.is_message(method):
            yield Fault(name, f"serves {operation}, which is a message", "Subscribe to it")
        elif operation.startswith(f"metip.{_system(file)}."):
            yield Fault(name, f"serves {operation}, which is its own", "Take it out: the owner serves all that it owns")
    yield from messages.subscription_faults(name, said.subscribes, declared, posts)


def _system(file: FileDescriptorProto) -> str:
    return file.package.split(".")[1]
