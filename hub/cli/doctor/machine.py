"""The machine under an estate: versions, kernel, limits, disk, memory, clock, and what processes hold. What is not there is None."""

import os
import platform
import resource
import shutil
import ssl
import sys
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any, Final

import apsw

LIMITS: Final = ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_STACK")
SYSCTLS: Final = ("fs/file-max", "net/core/somaxconn", "net/ipv4/ip_local_port_range", "vm/overcommit_memory", "vm/swappiness")
PRESSURES: Final = ("cpu", "io", "memory")
OF_PROCESS: Final = ("VmRSS", "VmHWM", "VmSwap", "Threads")
SYNCHRONISED: Final = (Path("/run/systemd/timesync/synchronized"), Path("/run/chrony/chronyd.sock"))


def versions() -> dict[str, Any]:
    """MetIP, the interpreter and every installed distribution."""
    found = {one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]}
    return {
        "metip": own_version(),
        "python": sys.version.split("\n")[0],
        "openssl": ssl.OPENSSL_VERSION,
        "sqlite": apsw.sqlite_lib_version(),
        "packages": dict(sorted(found.items(), key=lambda one: one[0].lower())),
    }


def own_version() -> str:
    """MetIP's version; `unknown` where it is not installed."""
    try:
        return version("metip")
    except PackageNotFoundError:
        return "unknown"


def machine(folders: Iterable[Path]) -> dict[str, Any]:
    """Kernel, processors, memory, pressure, limits, disk under those folders, clock."""
    return {
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
        "memory": _memory(),
        "pressure": {name: _read(Path("/proc/pressure") / name) for name in PRESSURES},
        "cgroup": {name: _read(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "cpu.max", "pids.max")},
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in LIMITS},
        "sysctl": {name.replace("/", "."): _read(Path("/proc/sys") / name) for name in SYSCTLS},
        "disk": {str(folder): _disk(folder) for folder in folders if folder.exists()},
        "clock": _clock(),
    }


def process(pid: int | None) -> dict[str, Any]:
    """What one process holds: memory, threads, open files, its limit of those, its age in seconds."""
    if pid is None:
        return {}
    here = Path(f"/proc/{pid}")
    lines = dict(line.split(":", 1) for line in (_read(here / "status") or "").splitlines() if ":" in line)
    limits = [line for line in (_read(here / "limits") or "").splitlines() if line.startswith("Max open files")]
    try:
        files: int | None = len(list((here / "fd").iterdir()))
    except OSError:
        files = None
    return {
        **{name: lines[name].strip() for name in OF_PROCESS if name in lines},
        "open_files": files,
        "most_open_files": int(limits[0].split()[3]) if limits and limits[0].split()[3].isdigit() else None,
    }


def _memory() -> dict[str, str]:
    lines = (line.split(":", 1) for line in (_read(Path("/proc/meminfo")) or "").splitlines() if ":" in line)
    return {name: value.strip() for name, value in lines if name in ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree", "Dirty")}


def _disk(folder: Path) -> dict[str, Any]:
    usage, found = shutil.disk_usage(folder), os.statvfs(folder)
    return {"total": usage.total, "used": usage.used, "free": usage.free, "inodes": found.f_files, "inodes_free": found.f_favail}


def _clock() -> dict[str, Any]:
    """The time, and whether somebody keeps it right."""
    with_uptime = (_read(Path("/proc/uptime")) or "0").split()[0]
    return {
        "now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "zone": time.tzname[0],
        "source": _read(Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")),
        "synchronised": any(path.exists() for path in SYNCHRONISED),
        "seconds_up": float(with_uptime),
    }


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
