"""One function a language: from the chosen contracts to a folder that the language's own build takes as it is."""

import shutil
import string
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc import error_details_pb2

from hub.stubs import versions
from hub.stubs.choosing import chosen
from hub.stubs.compiling import Plan, compile_files, run
from hub.stubs.packages import OURS, RULES, apart_in_java, managed
from hub.stubs.tools import TEMPLATES, go_plugins, java_tools, typescript_plugin


@dataclass(frozen=True)
class Wanted:
    """What is to be made, from what, and where."""

    descriptor_set: bytes
    version: str
    out: Path
    """Each language gets a folder in it."""
    tools: Path
    """Where plugins are kept between runs."""
    go_module: str
    java_prefix: str = ""


def python(wanted: Wanted) -> str:
    """The wheel `metip-contracts`: messages, stubs for grpcio, types, and protovalidate's rules, which no wheel of others carries."""
    files, folder = chosen(wanted.descriptor_set), _emptied(wanted.out / "python")
    source = folder / "src"
    beside = Path(sys.executable).parent
    plugins = {name: beside / f"protoc-gen-{name}" for name in ("mypy", "mypy_grpc")}
    outputs = dict.fromkeys(("python", "mypy"), source)
    compile_files(files, [*_ours(files), RULES], Plan(outputs, {"mypy": ["quiet"]}, {"mypy": plugins["mypy"]}))
    with_grpc = Plan(dict.fromkeys(("grpc_python", "mypy_grpc"), source), {"mypy_grpc": ["quiet"]}, {"mypy_grpc": plugins["mypy_grpc"]})
    compile_files(files, _with_services(files), with_grpc)
    for package in ("metip", "buf"):
        (source / package / "py.typed").touch()
    _manifest(folder, "python", wanted, dependencies=_listed(versions.PYTHON), protovalidate=versions.PROTOVALIDATE)
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str((folder / "dist").absolute())], cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    return f"{wheel.relative_to(wanted.out)}, {wheel.stat().st_size / 1024:,.0f} kB"


def go(wanted: Wanted) -> str:
    """A Go module; protovalidate's rules and Google's types come from their owners' modules."""
    plugins = go_plugins(wanted.tools)
    files, folder = _managed(wanted), _emptied(wanted.out / "go")
    options = [f"module={wanted.go_module}"]
    compile_files(files, _ours(files), Plan(dict.fromkeys(plugins, folder), dict.fromkeys(plugins, options), plugins))
    required = "\n".join(f"\t{name} {version}" for name, version in versions.GO_LIBRARIES.items())
    _manifest(folder, "go", wanted, module=wanted.go_module, go=versions.GO, required=required)
    return f"module {wanted.go_module}, {_count(folder, '*.go')} files"


def java(wanted: Wanted) -> str:
    """A Maven project of generated sources; protovalidate's rules and Google's types come from their owners' jars."""
    compiler, plugin = java_tools(wanted.tools)
    files, folder = apart_in_java(_managed(wanted)), _emptied(wanted.out / "java")
    source = folder / "src" / "main" / "java"
    plan = Plan(dict.fromkeys(("java", "grpc-java"), source), {"grpc-java": ["@generated=omit"]}, {"grpc-java": plugin}, (str(compiler),))
    compile_files(files, _ours(files), plan)
    _manifest(
        folder,
        "java",
        wanted,
        java=versions.JAVA,
        grpc=versions.GRPC_JAVA,
        protobuf=versions.PROTOBUF_JAVA,
        protovalidate=versions.PROTOVALIDATE_JAVA,
    )
    return f"Maven project metip:metip-contracts:{wanted.version}, {_count(folder, '*.java')} files"


def typescript(wanted: Wanted) -> str:
    """An npm package of modules with their types; google.rpc's details and protovalidate's rules come along, since no package has them."""
    plugin = typescript_plugin(wanted.tools)
    details = _file(error_details_pb2.DESCRIPTOR.serialized_pb)
    files, folder = chosen(wanted.descriptor_set, [details]), _emptied(wanted.out / "typescript")
    names = [*_ours(files), RULES, details.name]
    compile_files(files, names, Plan({"es": folder}, {"es": ["target=js+dts", "import_extension=js"]}, {"es": plugin}))
    _manifest(folder, "typescript", wanted, runtime=versions.PROTOC_GEN_ES)
    return f"npm package @metip/contracts, {_count(folder, '*.js')} modules"


LANGUAGES: Mapping[str, Callable[[Wanted], str]] = {"python": python, "go": go, "java": java, "typescript": typescript}
"""What makes each; the text says what was made."""


def _managed(wanted: Wanted) -> FileDescriptorSet:
    return managed(chosen(wanted.descriptor_set), go_module=wanted.go_module, java_prefix=wanted.java_prefix)


def _ours(files: FileDescriptorSet) -> list[str]:
    return [file.name for file in files.file if file.name.startswith(OURS)]


def _with_services(files: FileDescriptorSet) -> list[str]:
    return [file.name for file in files.file if file.service and file.name.startswith(OURS)]


def _file(serialized: bytes) -> FileDescriptorProto:
    return FileDescriptorProto.FromString(serialized)


def _emptied(folder: Path) -> Path:
    """The folder with nothing in it, so that a contract which is gone leaves no code behind."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _manifest(folder: Path, language: str, wanted: Wanted, **values: str) -> None:
    """Writes the language's own manifest from its template."""
    (template,) = (TEMPLATES / language).glob("*.tmpl")
    text = string.Template(template.read_text(encoding="utf-8")).substitute(version=wanted.version, **values)
    (folder / template.stem).write_text(text, encoding="utf-8")


def _listed(requirements: Mapping[str, str]) -> str:
    return ", ".join(f'"{name}{version}"' for name, version in requirements.items())


def _count(folder: Path, pattern: str) -> int:
    return sum(1 for _ in folder.rglob(pattern))
