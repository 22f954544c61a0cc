"""A fault run in words, and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.faults.checking import Finding


def words(seed: int, found: Mapping[str, Sequence[Finding]]) -> str:
    """One line for each finding, by part."""
    lines = []
    for part, findings in found.items():
        lines.append(f"{part}:")
        lines += [f"  {one.number:4} {one.verdict:7}  {one.words}" for one in findings]
    broken = [one for findings in found.values() for one in findings if not one.holds]
    absent = [one for findings in found.values() for one in findings if not one.ran]
    lines.append(
        f"seed {seed}: {'everything holds' if not broken else f'{len(broken)} BROKEN'}{f', {len(absent)} NOT RUN' if absent else ''}"
    )
    return "\n".join(lines)


def as_json(seed: int, found: Mapping[str, Sequence[Finding]]) -> dict[str, Any]:
    """The same, as values."""
    parts = {
        part: [{"number": one.number, "verdict": one.verdict, "words": one.words} for one in findings] for part, findings in found.items()
    }
    return {"seed": seed, "holds": all(one.holds for findings in found.values() for one in findings), "parts": parts}
