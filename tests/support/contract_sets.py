"""Descriptor sets made in a test: of small contracts written there, and of the contracts of an older commit."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import grpc_tools
from checkout import ROOT
from google.protobuf.descriptor_pb2 import FileDescriptorSet

RULES = ROOT / "protos" / "buf" / "validate.binpb"
"""protovalidate's own rules, which `make gen` takes out of its wheel."""
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
BUF = Path(sys.executable).parent / "buf"
BUF_CONFIGURATION = ROOT / "protos" / "buf.yaml"


def compiled(folder: Path, files: Mapping[str, str] | None = None, *, against: Path | None = None) -> bytes:
    """The descriptor set, comments and imports included, of `files` written to `folder`, or of all that is there.

    `against` is another folder in which imports are looked up. Raises `subprocess.CalledProcessError` when protoc refuses.
    """
    for path, text in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    names = sorted(files) if files else sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    out = folder / "set.binpb"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", *([f"-I{against}"] if against else []), f"-I{WELL_KNOWN}"]
    command += [f"--descriptor_set_in={RULES}", "--include_imports", "--include_source_info", f"--descriptor_set_out={out}", *names]
    subprocess.run(command, check=True)
    return out.read_bytes()


def newest_main() -> str | None:
    """The commit that contracts are compared with: the newest of `main`, on this machine or where it was fetched from; None without git."""
    for name in ("origin/main", "main", "HEAD"):
        found = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode().strip()
    return None


def compiled_at(commit: str, folder: Path) -> bytes:
    """The descriptor set of the contracts as they were in a commit."""
    archive = _git("archive", "--format=tar", commit, "protos/metip")
    archive.check_returncode()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return compiled(folder / "protos")


def buf(*arguments: str) -> str:
    """What buf has to say; nothing when all is well. Raises `AssertionError` when it could not run."""
    done = subprocess.run([BUF, *arguments, "--config", str(BUF_CONFIGURATION)], capture_output=True, text=True, check=False)
    # 100 means that it found something; any other failure is a failure to look.
    assert done.returncode in (0, 100), done.stderr
    return done.stdout


def imports_of(descriptor_set: bytes) -> dict[str, tuple[str, ...]]:
    """What each file imports."""
    return {file.name: tuple(file.dependency) for file in FileDescriptorSet.FromString(descriptor_set).file}


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess(arguments, 127, b"", b"")
