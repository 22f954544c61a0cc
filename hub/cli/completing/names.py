"""Names that words are completed to: operations, interfaces, systems and subscriptions of the installed contracts, and contexts.

The descriptors are looked through and not judged, as `hub.contracts.load` would: that takes twice as long as a person waits for.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from metip.options.v1 import options_pb2 as options

ROOT: Final = "metip."
DESCRIPTORS: Final = "descriptors.binpb"
"""As in `metip.contracts`; a test compares them."""


def operations() -> list[str]:
    """Operations on the mesh: short where one method of that name is, in full."""
    methods = [f"{service}/{method.name}" for service, one, _ in _services() for method in one.method]
    ends = [name.rpartition("/")[2] for name in methods]
    return sorted({*(end for end in ends if ends.count(end) == 1), *methods})


def interfaces() -> list[str]:
    """Interfaces on the mesh, in full and by their last name."""
    names = [name for name, _, _ in _services()]
    ends = [name.rpartition(".")[2] for name in names]
    return sorted({*names, *(end for end in ends if ends.count(end) == 1)})


def systems() -> list[str]:
    """Systems whose contract is installed, those that stand behind another's interfaces too."""
    return sorted({name.split(".")[1] for name, _, _ in _services()} | {system for system, _ in _back_ends()})


def subscriptions() -> list[str]:
    """Subscriptions, `system:operation`."""
    said = [(name.split(".")[1], one.subscribes) for name, _, one in _services(private=True)]
    said += [(system, one.subscribes) for system, one in _back_ends()]
    return sorted(f"{system}:{one.operation}" for system, several in said for one in several)


def contexts() -> list[str]:
    """Contexts of this user."""
    from hub.cli.contexts.keeping import names

    return list(names())


NAMES: Final[Mapping[str, Callable[[], list[str]]]] = {
    "operation": operations,
    "interface": interfaces,
    "system": systems,
    "systems": systems,
    "subscription": subscriptions,
    "context": contexts,
}
"""By the name of an argument or option: whatever is called so in any command is completed so."""


def _services(*, private: bool = False) -> Iterator[tuple[str, Any, Any]]:
    """Full name, descriptor and options of each service; of private ones only when told to."""
    for file in _files():
        for service in file.service:
            said = service.options.Extensions[options.interface]
            if private or not said.private:
                yield f"{file.package}.{service.name}", service, said


def _back_ends() -> Iterator[tuple[str, Any]]:
    """System and options of each further back end."""
    for file in _files():
        if file.options.HasExtension(options.back_end):
            yield file.package.split(".")[1], file.options.Extensions[options.back_end]


@cache
def _files() -> list[FileDescriptorProto]:
    spec = importlib.util.find_spec("metip.contracts")  # its rules are not imported
    assert spec is not None
    assert spec.origin is not None
    try:
        content = Path(spec.origin).with_name(DESCRIPTORS).read_bytes()
    except OSError:
        return []
    return [file for file in FileDescriptorSet.FromString(content).file if file.package.startswith(ROOT)]
