"""Builds the examples of `protos/examples` as their README says, each against freshly generated stubs, for whichever toolchains are here.

Everything is made in a folder of the test's own, laid out as the checkout is; only plugins and what Maven found are kept between runs,
where `make stubs` keeps them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from checkout import ROOT

import metip.contracts
from hub.stubs.languages import LANGUAGES, Wanted
from hub.stubs.packages import GO_MODULE
from hub.stubs.tools import needed

TOOLS = ROOT / "build" / "tools"
PATIENCE = 280.0


@dataclass(frozen=True)
class Example:
    """A built example: how to run it."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


PROGRAMS = {"python": (), "go": ("go",), "java": ("javac", "mvn"), "typescript": ("node", "npm")}


def toolchain(language: str) -> None:
    """Looks for a language's programs. Raises `ToolchainMissingError` for one that is not there."""
    for program in PROGRAMS[language]:
        needed(program, f"install it to build and run the {language} example")


def built(language: str, folder: Path) -> Example:
    """Generates stubs, then builds the example. Raises `ToolchainMissingError` where its toolchain is not on this machine."""
    toolchain(language)
    source = folder / "protos" / "examples" / language
    shutil.copytree(ROOT / "protos" / "examples" / language, source, ignore=shutil.ignore_patterns("node_modules", "dist", "target"))
    descriptors = (files(metip.contracts) / metip.contracts.DESCRIPTORS).read_bytes()
    stubs = folder / "build" / "stubs"
    LANGUAGES[language](Wanted(descriptors, "0.1.0", stubs, TOOLS, GO_MODULE))
    return BUILDERS[language](source, stubs / language)


def _python(source: Path, stubs: Path) -> Example:
    """Only the wheel and the packages that it asks for: without `site`, this checkout's own contracts are not found."""
    (wheel,) = (stubs / "dist").glob("*.whl")
    unpacked = stubs / "unpacked"
    with zipfile.ZipFile(wheel) as content:
        content.extractall(unpacked)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    return Example((sys.executable, "-S", str(source / "vehicle.py")), {"PYTHONPATH": f"{unpacked}{os.pathsep}{packages}"})


def _go(source: Path, stubs: Path) -> Example:
    run(["go", "build", "-trimpath", "-mod=readonly", "-o", "vehicle", "."], source)
    return Example((str(source / "vehicle"),), {})


def _java(source: Path, stubs: Path) -> Example:
    """javac alone, which compiles of the stubs what the example uses; Maven says where the libraries are."""
    jars = _classpath(stubs / "pom.xml", source / "pom.xml")
    out = source / "classes"
    main = source / "src" / "main" / "java" / "Vehicle.java"
    where = ["-cp", jars, "-sourcepath", str(stubs / "src" / "main" / "java"), "-d", str(out)]
    run(["javac", "-proc:none", "-nowarn", "-encoding", "UTF-8", "--release", "17", *where, str(main)], source)
    quick = ("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:+UseSerialGC")
    return Example(("java", *quick, "-cp", f"{jars}{os.pathsep}{out}", "Vehicle"), {})


def _classpath(contracts: Path, example: Path) -> str:
    """Jars that both projects need, by Maven; remembered as long as neither changes."""
    manifests = (contracts.read_text(), example.read_text())
    kept = TOOLS / "java" / f"classpath-{hashlib.sha256(''.join(manifests).encode()).hexdigest()[:16]}"
    if not kept.exists() or not all(Path(jar).exists() for jar in kept.read_text().split(os.pathsep)):
        # Of the example's own dependencies all but the contracts, which are compiled beside it.
        ours = "<artifactId>metip-contracts</artifactId>"
        others = [part for part in manifests[1].split("<dependency>")[1:] if ours not in part]
        both = contracts.with_name("both.xml")
        added = "".join(f"<dependency>{part.partition('</dependency>')[0]}</dependency>" for part in others)
        both.write_text(manifests[0].replace("</dependencies>", f"{added}</dependencies>"))
        kept.parent.mkdir(parents=True, exist_ok=True)
        run(["mvn", "-q", "-B", "-f", str(both), "dependency:build-classpath", f"-Dmdep.outputFile={kept}"], contracts.parent)
    return kept.read_text()


def _typescript(source: Path, stubs: Path) -> Example:
    run(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--silent"], source)
    run(["npm", "run", "--silent", "contracts"], source)
    run(["npm", "run", "--silent", "build"], source)
    return Example(("node", str(source / "dist" / "vehicle.js")), {})


BUILDERS: Mapping[str, Callable[[Path, Path], Example]] = {"python": _python, "go": _go, "java": _java, "typescript": _typescript}


def run(command: Sequence[str], folder: Path) -> None:
    """Runs a build step; what it said is the failure's text."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, f"{' '.join(command[:3])}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
