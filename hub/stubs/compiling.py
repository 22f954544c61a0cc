"""Runs the compiler on a descriptor set: protoc of the development lock, with plugins by path; nothing is read from the source tree."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet


class StubsError(Exception):
    """A step that failed: what was run, and what it said."""


@dataclass(frozen=True)
class Plan:
    """What one language is generated with: outputs by generator name, their options, and plugins that are not built in."""

    outputs: Mapping[str, Path]
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    plugins: Mapping[str, Path] = field(default_factory=dict)
    compiler: Sequence[str] = (sys.executable, "-m", "grpc_tools.protoc")


def compile_files(files: FileDescriptorSet, names: Sequence[str], plan: Plan) -> None:
    """Generates code for the named files of the set. Raises `StubsError` with the compiler's own words."""
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder) / "contracts.binpb"
        descriptors.write_bytes(files.SerializeToString())
        command = [*plan.compiler, f"--descriptor_set_in={descriptors}"]
        for generator, out in plan.outputs.items():
            out.mkdir(parents=True, exist_ok=True)
            command += [f"--{generator}_out={out}", *(f"--{generator}_opt={one}" for one in plan.options.get(generator, ()))]
        command += [f"--plugin=protoc-gen-{name}={path}" for name, path in plan.plugins.items()]
        run([*command, *names])


def run(command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
    """Runs a tool silently. Raises `StubsError` when it can't be started or fails."""
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own tools
    except OSError as error:
        raise StubsError(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        raise StubsError(f"{' '.join(command[:3])} …: {(done.stderr or done.stdout).strip()[-2000:]}")
