"""Generates the Python stubs and the descriptor set from `protos/` at every build, editable installs included.

The rules language of protovalidate ships inside its wheel as a file descriptor only, so that descriptor is what the compiler reads
(`--descriptor_set_in`); nothing of it is committed.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROTOS = Path(__file__).parent / "protos"
RULES = "buf/validate/validate.proto"
DESCRIPTORS = PROTOS / "metip" / "contracts" / "descriptors.binpb"


def generate(protos: Path = PROTOS, descriptors: Path = DESCRIPTORS) -> None:
    """Writes stubs beside each contract and the descriptor set (with comments) that the hub and every adapter read.

    Raises `subprocess.CalledProcessError` when the compiler refuses a file; its words are on standard error.
    """
    rules = protos / "buf" / "validate.binpb"
    rules.parent.mkdir(parents=True, exist_ok=True)
    rules.write_bytes(_rules_descriptor())
    files = sorted(str(path.relative_to(protos)) for path in (protos / "metip").rglob("*.proto"))
    _remove_orphans(protos, files)
    _protoc(
        protos,
        rules,
        "--python_out=.",
        "--grpc_python_out=.",
        "--mypy_out=quiet:.",
        "--mypy_grpc_out=quiet:.",
        *files,
    )
    _protoc(protos, rules, "--python_out=.", "--mypy_out=quiet:.", RULES)
    _protoc(protos, rules, "--include_imports", "--include_source_info", f"--descriptor_set_out={descriptors}", *files)


def _protoc(protos: Path, rules: Path, *arguments: str) -> None:
    import grpc_tools

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"-I{well_known}", f"--descriptor_set_in={rules}"]
    # The mypy plugins are found beside this interpreter in a virtual environment, and on PATH in pip's isolated build.
    environment = {"PATH": f"{Path(sys.executable).parent}:{_path()}"}
    subprocess.run([*command, *arguments], cwd=protos, check=True, env=environment)


def _path() -> str:
    import os

    return os.environ.get("PATH", "")


def _rules_descriptor() -> bytes:
    """The file descriptors of protovalidate's rules and what they import, as one serialised FileDescriptorSet."""
    from google.protobuf import (
        descriptor_pb2,
        duration_pb2,
        field_mask_pb2,
        timestamp_pb2,
    )
    from protovalidate._gen.buf.validate import validate_pb  # the only place where the wheel keeps it

    found = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        module.DESCRIPTOR.CopyToProto(found.file.add())
    found.file.add().MergeFromString(validate_pb.desc().proto.to_binary())
    return bytes(found.SerializeToString())


def _remove_orphans(protos: Path, files: list[str]) -> None:
    """Deletes stubs whose contract is gone, so that a removed interface can't linger as an importable module."""
    stems = {str(protos / name.removesuffix(".proto")) for name in files}
    for stub in (protos / "metip").rglob("*_pb2*"):
        if str(stub.parent / stub.name.split("_pb2")[0]) not in stems:
            stub.unlink()


class Hook(BuildHookInterface[Any]):
    """What hatchling calls before it packs an sdist, a wheel or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generates the stubs into the source tree, where the wheel's `artifacts` setting picks them up."""
        generate(Path(self.root) / "protos", Path(self.root) / "protos" / "metip" / "contracts" / "descriptors.binpb")


if __name__ == "__main__":
    generate()
