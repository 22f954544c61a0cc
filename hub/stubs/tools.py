"""The plugins of other languages: each pinned, fetched once by its language's own client into `build/tools`, never at run time.

A toolchain that is not there is said (`ToolchainMissing`) and its language passed over; nobody needs Go to get Java.
"""

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from hub.stubs import versions
from hub.stubs.compiling import StubsError, run

TEMPLATES = Path(__file__).parent / "templates"


class ToolchainMissingError(Exception):
    """A language's toolchain is not on this machine; the text says which program, and what to install."""


def needed(program: str, advice: str) -> str:
    """Where a program is. Raises `ToolchainMissingError`."""
    found = shutil.which(program)
    if found is None:
        raise ToolchainMissingError(f"{program} is not on this machine; {advice}")
    return found


def go_plugins(tools: Path) -> Mapping[str, Path]:
    """protoc-gen-go and protoc-gen-go-grpc, built by `go install` of pinned versions; plugin names to programs."""
    go = needed("go", f"install Go {versions.GO} or newer")
    folder = (tools / "go").absolute()
    for name, module in versions.GO_PLUGINS.items():
        at = folder / module.rpartition("@")[2]
        if not (at / name).exists():
            run([go, "install", module], environment={**os.environ, "GOBIN": str(at), "GOFLAGS": "-trimpath"})
    return {name.removeprefix("protoc-gen-"): folder / module.rpartition("@")[2] / name for name, module in versions.GO_PLUGINS.items()}


def java_tools(tools: Path) -> tuple[Path, Path]:
    """A protoc that speaks Java, which the one of the development lock does not, and grpc-java's plugin; both fetched by Maven."""
    maven = needed("mvn", f"install Maven and a JDK {versions.JAVA} or newer")
    machine = {"aarch64": "aarch_64", "arm64": "aarch_64"}.get(platform.machine(), platform.machine())
    system = {"Darwin": "osx", "Windows": "windows"}.get(platform.system(), "linux")
    wanted = (("com.google.protobuf:protoc", versions.PROTOBUF_JAVA), ("io.grpc:protoc-gen-grpc-java", versions.GRPC_JAVA))
    folder = (tools / "java").absolute()
    found = []
    for name, version in wanted:
        program = folder / f"{name.partition(':')[2]}-{version}-{system}-{machine}.exe"
        if not program.exists():
            artifact = f"{name}:{version}:exe:{system}-{machine}"
            run([maven, "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"])
        program.chmod(0o755)
        found.append(program)
    return found[0], found[1]


def typescript_plugin(tools: Path) -> Path:
    """protoc-gen-es, installed by npm from the lock beside its manifest."""
    npm = needed("npm", "install Node.js 20 or newer")
    folder = (tools / "typescript").absolute()
    plugin = folder / "node_modules" / ".bin" / "protoc-gen-es"
    if not plugin.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(TEMPLATES / "typescript" / "plugin" / name, folder / name)
        run([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder)
    if not plugin.exists():
        raise StubsError(f"npm installed no {plugin.name}")
    return plugin
