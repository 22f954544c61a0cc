"""The bundle as a file: what is in it, with the SHA-256 of each part, and what is not in it and why; the same parts, the same bytes."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hub.cli.doctor.scrubbing import Scrubber
from hub.cli.options import Problem

FORMAT: Final = "metip-doctor/1"
MANIFEST: Final = "manifest.json"


def there_already(path: Path) -> Problem:
    """Nothing is written over."""
    return Problem(f"{path} is there already", "name another file with --to, or take that one away")


@dataclass
class Bundle:
    """Parts by name, each scrubbed as it is added."""

    scrubber: Scrubber
    at: datetime
    parts: dict[str, bytes] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    """What is not there, by the reason."""

    def add(self, name: str, document: Any) -> None:
        """Adds a document as JSON."""
        clean = self.scrubber.document(document)
        self.parts[name] = (json.dumps(clean, indent=1, ensure_ascii=False, sort_keys=True, default=str) + "\n").encode()

    def add_lines(self, name: str, lines: list[str]) -> None:
        """Adds the lines of a log."""
        self.parts[name] = "".join(f"{line}\n" for line in self.scrubber.lines(lines)).encode()

    def leave_out(self, name: str, why: str) -> None:
        """Says why a part is not there."""
        self.left_out[name] = self.scrubber.free(why)

    def manifest(self, version: str) -> dict[str, Any]:
        """What is in it."""
        return {
            "format": FORMAT,
            "made_at": self.at.isoformat(timespec="seconds"),
            "metip": version,
            "files": [
                {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in sorted(self.parts.items())
            ],
            "left_out": dict(sorted(self.left_out.items())),
        }

    def write(self, path: Path, manifest: dict[str, Any]) -> str:
        """Writes the file, of mode 0600, and gives its SHA-256. Raises `Problem` where it can't be written, or is there already."""
        content = self._packed(path.name.removesuffix(".tar.gz"), manifest)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        except FileExistsError:
            raise there_already(path) from None
        except OSError as error:
            raise Problem(f"{path} can't be written: {error.strerror}", "name another file with --to") from None
        return hashlib.sha256(content).hexdigest()

    def _packed(self, folder: str, manifest: dict[str, Any]) -> bytes:
        packed, when = io.BytesIO(), int(self.at.timestamp())
        said = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
        with (
            gzip.GzipFile(fileobj=packed, mode="wb", mtime=when) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, content in {MANIFEST: said, **dict(sorted(self.parts.items()))}.items():
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mtime, entry.mode = len(content), when, 0o600
                archive.addfile(entry, io.BytesIO(content))
        return packed.getvalue()
