"""Follows Envoy's log as it grows and is rotated: for the books from a place that is kept, for whoever only watches from its end."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

LOT: Final = 4 * 1024 * 1024
"""Bytes of the log that are read at a time."""


class LogFile:
    """A log that grows and is rotated: it is read to its end before another file under its name begins anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.number = 0
        """The file's number in its file system; 0 before there is one."""
        self.follow()

    def follow(self) -> bool:
        """Takes up the file that has the name now; whether that is another one."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return False
        number = os.fstat(file.fileno()).st_ino
        if number == self.number:
            file.close()
            return False
        self.close()
        self._file, self.number = file, number
        return True

    def after(self, place: int, most: int = LOT) -> tuple[list[str], int]:
        """Whole lines after a place, and the place after them."""
        if self._file is None:
            return [], place
        self._file.seek(place)
        data = self._file.read(most)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == most:
            return [], place + most  # a line longer than any that Envoy writes: passed over
        return data[:whole].decode("utf-8", "replace").splitlines(), place + whole

    def count(self, start: int, end: int) -> int:
        """Lines that begin between two places, of which the first is the beginning of one."""
        assert self._file is not None, "there is a file"
        self._file.seek(start)
        found = 0
        while start < end and (data := self._file.read(min(LOT, end - start))):
            found += data.count(b"\n")
            start += len(data)
        return found + 1  # the one that goes on beyond the end

    @property
    def size(self) -> int:
        """Its length in bytes now; 0 where there is none."""
        return os.fstat(self._file.fileno()).st_size if self._file is not None else 0

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()


class EdgeReader:
    """Follows the edge's log from where it ends now."""

    def __init__(self, log: Path) -> None:
        self._path = log
        self._file: LogFile | None = None
        self._place = 0

    def begin(self) -> None:
        """Goes to the log's end; what is there already is past."""
        self._file = self._file or LogFile(self._path)
        self._file.follow()
        self._place = self._path.stat().st_size if self._path.exists() else 0

    def lines(self, wanted: Iterable[str]) -> list[str]:
        """New lines in which one of these words is."""
        if self._file is None:
            self.begin()
        assert self._file is not None, "it was begun"
        words, found = tuple(wanted), list[str]()
        while True:
            lines, place = self._file.after(self._place)
            found += [line for line in lines if any(word in line for word in words)]
            if place == self._place:
                if not self._file.follow():
                    return found
                place = 0
            self._place = place

    def latest(self, most: int) -> tuple[list[str], int]:
        """New lines, and how many were passed over: where more than `most` bytes were written, only the latest are read."""
        if self._file is None:
            self.begin()
        assert self._file is not None, "it was begun"
        found, passed_over = list[str](), 0
        while True:
            start = self._file.size - most
            if start > self._place:
                passed_over += len(found) + self._file.count(self._place, start)
                lines, place = self._file.after(start)
                found = lines[1:]  # the first one is the rest of one that was passed over
            else:
                lines, place = self._file.after(self._place)
                found += lines
            if place == self._place:
                if not self._file.follow():
                    return found, passed_over
                place = 0
            self._place = place

    def past(self, most: int) -> list[str]:
        """Lines that were there before those that are still to come: whole ones among the last `most` bytes."""
        if self._file is None:
            self.begin()
        assert self._file is not None, "it was begun"
        start = max(0, self._place - most)
        lines, _ = self._file.after(start, self._place - start)
        return lines[1:] if start else lines

    def close(self) -> None:
        """Lets go of the log."""
        if self._file is not None:
            self._file.close()
