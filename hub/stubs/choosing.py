"""Which contracts a consumer needs: the interfaces on the mesh and what their messages are made of, and nothing else.

The law: nothing that can't be called from outside is handed out. Settings, the hub's private services and the stores' own records stay
here; where a file is needed for its messages but its service is private, the service is left out.
"""

from collections.abc import Container, Iterable
from datetime import date

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from metip.contracts import read

SERVICES = 6
"""The number of `service` in FileDescriptorProto, by which comments of services begin."""


def public(descriptor_set: bytes) -> frozenset[str]:
    """Full names of the interfaces that are on the mesh; an overdue assessment changes nothing about their types."""
    return frozenset(one.name for one in read(descriptor_set, today=date.min).interfaces if not one.private)


def chosen(descriptor_set: bytes, extra: Iterable[FileDescriptorProto] = ()) -> FileDescriptorSet:
    """The files a consumer needs, each after those that it imports, comments included; `extra` files are added with what they import.

    Raises `KeyError` when an import of theirs is neither in the set nor extra.
    """
    on_mesh = public(descriptor_set)
    known = {file.name: file for file in (*FileDescriptorSet.FromString(descriptor_set).file, *extra)}
    found: dict[str, FileDescriptorProto] = {}

    def take(name: str) -> None:
        if name not in found:
            for imported in known[name].dependency:
                take(imported)
            found[name] = _without_private(known[name], on_mesh)

    for file in known.values():
        if any(f"{file.package}.{service.name}" in on_mesh for service in file.service):
            take(file.name)
    for file in extra:
        take(file.name)
    return FileDescriptorSet(file=found.values())


def _without_private(file: FileDescriptorProto, on_mesh: Container[str]) -> FileDescriptorProto:
    """The file with the services that are on the mesh, their comments still at their places."""
    kept = [number for number, service in enumerate(file.service) if f"{file.package}.{service.name}" in on_mesh]
    if len(kept) == len(file.service):
        return file
    copy = FileDescriptorProto()
    copy.CopyFrom(file)
    copy.ClearField("service")
    copy.service.extend(file.service[number] for number in kept)
    del copy.source_code_info.location[:]
    for place in file.source_code_info.location:
        path = list(place.path)
        if path[:1] != [SERVICES] or len(path) == 1:
            copy.source_code_info.location.add().CopyFrom(place)
        elif path[1] in kept:
            moved = copy.source_code_info.location.add()
            moved.CopyFrom(place)
            moved.path[1] = kept.index(path[1])
    return copy
