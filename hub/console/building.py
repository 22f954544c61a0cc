"""Builds the console's site: `python -m hub.console.building [--into FOLDER]`; needs Node and npm, which running the product does not.

Generated clients hold the shape of the messages that the console reaches and nothing else: options and validation rules stay out of the
browser, since the hub enforces them. The kinds of identifiers come from the dictionary, and the advice for each reason of a refusal from
`metip.faults`, so that each is written once.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from google.protobuf import descriptor_pb2 as pb

from metip.faults import Reason
from metip.identifiers import PARSERS
from metip.journal.blinding import NAME_AND_BIRTH

HERE = Path(__file__).parent
APP = HERE / "app"
SITE = HERE / "site"
PROTOS = HERE.parents[1] / "protos"
DESCRIPTORS = PROTOS / "metip" / "contracts" / "descriptors.binpb"
SERVICES = ("console", "estate", "exchange", "hub", "journey", "ledger", "migration", "parity", "traffic")
"""The packages whose services the console's listener lets through."""
NODE = ("node", "npm", "npx")


def missing() -> list[str]:
    """The commands that a build needs and this machine has not."""
    return [name for name in NODE if shutil.which(name) is None]


def build(into: Path = SITE) -> None:
    """Writes the whole site into the folder, and nothing else there.

    Raises `subprocess.CalledProcessError` when a step refuses; its words are on standard error.
    """
    prepare()
    _npm("run", "--silent", "build", "--", "--logLevel", "warn", site=into)


def prepare() -> None:
    """Installs what the lock file says, when it has changed since, and writes `app/gen`: what the checks and the unit tests need."""
    installed = APP / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (APP / "package-lock.json").stat().st_mtime:
        _npm("ci", "--silent")
    generated = APP / "gen"
    shutil.rmtree(generated, ignore_errors=True)
    generated.mkdir()
    (generated / "reasons.json").write_text(json.dumps({reason.name: reason.advice for reason in Reason}, indent=2), encoding="utf-8")
    (generated / "identifiers.json").write_text(json.dumps((*sorted(PARSERS), NAME_AND_BIRTH)), encoding="utf-8")
    kept = _reachable(pb.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()))
    shapes = generated / "shapes.binpb"
    shapes.write_bytes(kept.SerializeToString(deterministic=True))
    plugin = APP / "node_modules" / ".bin" / "protoc-gen-es"
    names = [one.name for one in kept.file if not one.name.startswith("google/protobuf/")]
    flags = [f"--plugin={plugin}", f"--es_out={generated}", "--es_opt=target=ts,import_extension=none", f"--descriptor_set_in={shapes}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *flags, *names], check=True)  # noqa: S603


def _npm(*arguments: str, site: Path = SITE) -> None:
    subprocess.run(["npm", *arguments], cwd=APP, check=True, env={**os.environ, "METIP_SITE": str(site)})  # noqa: S603, S607


def _reachable(everything: pb.FileDescriptorSet) -> pb.FileDescriptorSet:
    """The files with the console's services and what their messages use, without options; `google.rpc.*` of error details beside them."""
    from google.rpc import error_details_pb2

    files = {one.name: _bare(one) for one in everything.file}
    details = pb.FileDescriptorProto()
    error_details_pb2.DESCRIPTOR.CopyToProto(details)
    files[details.name] = _bare(details)
    home = {type_name: one.name for one in files.values() for type_name in _types(one)}
    for one in files.values():
        used = {home[name] for name in _uses(one)} - {one.name}
        one.dependency[:] = sorted(used)
        del one.public_dependency[:]
    kept: dict[str, pb.FileDescriptorProto] = {}
    reached = tuple(f"metip/{package}/v1/" for package in SERVICES)
    roots = sorted(name for name in files if name.startswith(reached) and name.endswith("_service.proto"))
    _keep([*roots, details.name], files, kept)
    return pb.FileDescriptorSet(file=kept.values())


def _keep(names: Iterable[str], files: dict[str, pb.FileDescriptorProto], kept: dict[str, pb.FileDescriptorProto]) -> None:
    for name in names:
        if name not in kept:
            _keep(files[name].dependency, files, kept)
            kept[name] = files[name]


def _bare(file: pb.FileDescriptorProto) -> pb.FileDescriptorProto:
    """The file without options, save the mark of map entries, which is part of a message's shape."""
    file.ClearField("options")
    del file.extension[:]
    messages = list(file.message_type)
    while messages:
        message = messages.pop()
        is_map = message.options.map_entry
        message.ClearField("options")
        if is_map:
            message.options.map_entry = True
        messages.extend(message.nested_type)
        for field in message.field:
            field.ClearField("options")
        for choice in (*message.oneof_decl, *message.enum_type):
            choice.ClearField("options")
    for service in file.service:
        service.ClearField("options")
        for method in service.method:
            method.ClearField("options")
    return file


def _types(file: pb.FileDescriptorProto) -> list[str]:
    """The full names, led by a dot, of what the file defines."""
    found: list[str] = []
    open_: list[tuple[str, pb.DescriptorProto]] = [(f".{file.package}.{one.name}", one) for one in file.message_type]
    while open_:
        name, message = open_.pop()
        found.append(name)
        found.extend(f"{name}.{one.name}" for one in message.enum_type)
        open_.extend((f"{name}.{one.name}", one) for one in message.nested_type)
    return found + [f".{file.package}.{one.name}" for one in file.enum_type]


def _uses(file: pb.FileDescriptorProto) -> set[str]:
    """The full names of the types that its messages and services refer to."""
    messages = list(file.message_type)
    for message in messages:
        messages.extend(message.nested_type)
    fields = {field.type_name for message in messages for field in message.field if field.type_name}
    return fields | {name for service in file.service for method in service.method for name in (method.input_type, method.output_type)}


def main() -> int:
    """Builds, or says what is missing."""
    parser = argparse.ArgumentParser(description="Build the console's site from hub/console/app.")
    parser.add_argument("--into", type=Path, default=SITE, help="the folder to write (default: %(default)s)")
    parser.add_argument("--prepare", action="store_true", help="only install packages and generate clients")
    arguments = parser.parse_args()
    if gone := missing():
        print(  # noqa: T201
            f"The console can't be built here: {', '.join(gone)} not found. Install Node 20 or later (Debian: apt-get install nodejs npm). "
            "Nobody needs it to run MetIP Hub: the built site is in hub/console/site.",
            file=sys.stderr,
        )
        return 1
    prepare() if arguments.prepare else build(arguments.into.resolve())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
