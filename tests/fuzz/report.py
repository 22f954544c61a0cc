"""A run in words, and for programs."""

from typing import Any

from tests.fuzz.running import Outcome


def words(outcome: Outcome) -> str:
    """A line for each decoder and each finding, and one for all."""
    width = max((len(name) for name in outcome.counts), default=0)
    lines = [f"{'decoder':{width}}  executions     read  slowest  seeds"]
    for name, one in sorted(outcome.counts.items()):
        slowest = f"{one['slowest'] * 1000:.0f} ms"
        lines.append(f"{name:{width}}  {one['executions']:>10,}  {_share(one):>7}  {slowest:>7}  {one['seeds']:>5}")
    for one in outcome.findings:
        lines.append(
            f"FOUND {one['decoder']}: {one['step']}: {one['kind']} ({one['times']} times; seed {one['seed']}, number {one['number']})"
        )
    lines.append(
        f"seed {outcome.seed}: {outcome.executions:,} executions of {len(outcome.counts)} decoders in {outcome.seconds:.0f} s, "
        f"largest worker {outcome.peak // 1024} MiB, {len(outcome.findings) or 'no'} findings"
    )
    return "\n".join(lines)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The same, as values; documents and traces are in the files of findings."""
    findings = [{key: one[key] for key in ("decoder", "step", "kind", "times", "seed", "number")} for one in outcome.findings]
    return {
        "seed": outcome.seed,
        "seconds": outcome.seconds,
        "executions": outcome.executions,
        "peak_kib": outcome.peak,
        "decoders": outcome.counts,
        "findings": findings,
    }


def _share(one: dict[str, Any]) -> str:
    return f"{100 * one['read'] / one['executions']:.0f}%" if one["executions"] else "-"
