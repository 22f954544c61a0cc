"""Whether a step forward may be taken: for each guard what was found and, where it fails, what is missing and how to get it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.migration.figures import Tally
from hub.migration.plan import Bar, Rules
from hub.migration.states import NEVER_OVERRIDDEN, Guard, Position, State, guards_of
from hub.parity.evidence import Evidence, Finding

LEAST_CALLS: Final = 100
"""Calls of each platform without which nothing is said of errors and times."""
GUARD_FACTOR: Final = 1.5
"""What the new platform's 99th percentile may be of the old one's, for a step; the watch is laxer, since it acts at once."""
GUARD_FLOOR_MS: Final = 100.0
NOBODY: Final = Tally()


@dataclass(frozen=True)
class Facts:
    """What is known when a step is judged."""

    rules: Rules
    here: Position
    since: float
    """Unix time since which it stands there."""
    now: float
    evidence: Evidence | None = None
    """What was compared since; None without a comparator."""
    old: Tally = field(default_factory=Tally)
    """What the old platform answered callers since."""
    new: Tally = field(default_factory=Tally)
    author: str = ""
    approver: str = ""
    approval: tuple[str, ...] = ()
    """What is wrong with the approval; nothing where it holds."""
    absent: tuple[str, ...] = ()
    """Systems of which no instance serves the interface now."""
    expired: tuple[str, ...] = ()
    """Fields whose accepted difference is accepted no longer."""
    doubts: int = 0
    """Messages and writes in doubt."""
    attested: str = ""
    tied: tuple[str, ...] = ()
    """Consumers that are tied to the old platform."""
    unwatched: bool = False
    """Whether nobody counts calls: the hub has no log of the edge."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one guard says."""

    guard: Guard
    passed: bool
    found: str
    remedy: str = ""
    overridden: bool = False


def judge(facts: Facts, there: Position) -> tuple[Judgement, ...]:
    """What each guard of the step says. Raises `NoSuchStepError`."""
    return tuple(JUDGES[guard](facts, there) for guard in guards_of(facts.here, there))


def excused(judgements: tuple[Judgement, ...]) -> tuple[Judgement, ...]:
    """The same in an emergency: what failed is excused, but for what nothing excuses."""
    return tuple(
        Judgement(one.guard, one.passed, one.found, one.remedy, overridden=not one.passed and one.guard not in NEVER_OVERRIDDEN)
        for one in judgements
    )


def admissible(judgements: tuple[Judgement, ...]) -> bool:
    """Whether every guard passes or is excused."""
    return all(one.passed or one.overridden for one in judgements)


def _served(facts: Facts, _there: Position) -> Judgement:
    if not facts.absent:
        return Judgement(Guard.SERVED, True, f"{facts.rules.system} and {facts.rules.old} serve it")
    names = " and ".join(facts.absent)
    return Judgement(Guard.SERVED, False, f"nobody of {names} serves it now", f"start the adapter of {names}: metip status")


def _approver(facts: Facts, _there: Position) -> Judgement:
    if facts.approval:
        remedy = "let the author sign and somebody else approve: metip migrate propose, then metip migrate approve"
        return Judgement(Guard.APPROVER, False, "; ".join(facts.approval), remedy)
    if not facts.approver:
        return Judgement(Guard.APPROVER, False, "nobody approved it", "name who did: --approver NAME")
    if facts.approver == facts.author.rpartition("/")[2] or facts.approver == facts.author:
        return Judgement(Guard.APPROVER, False, f"{facts.approver} is its author", "let somebody else approve it: --approver NAME")
    return Judgement(Guard.APPROVER, True, f"{facts.approver} approved what {facts.author} asks for")


def _whole(facts: Facts, there: Position) -> Judgement:
    rules = facts.rules
    if there.state is not State.CANARY or not rules.undivided:
        kept = f"; {', '.join(one.method for one in rules.writes)} stay with {rules.old}" if rules.writes else ""
        return Judgement(Guard.WHOLE, True, f"only queries are split{kept}")
    why = "the plan moves it as a whole" if rules.whole else "it has no query"
    return Judgement(Guard.WHOLE, False, f"{why}, so it is never split by the per cent", "take it from shadow to primary: --to primary")


def _ring(facts: Facts, there: Position) -> Judgement:
    rules = facts.rules
    following = 100 if rules.undivided else rules.next_ring(facts.here.percent)
    if there.percent <= following:
        return Judgement(Guard.RING, True, f"the next ring is {following} %")
    step = f"--to canary --percent {following}" if following < 100 else "--to primary"
    return Judgement(Guard.RING, False, f"{there.percent} % is past the next ring, {following} %", f"go there first: {step}")


def _comparisons(facts: Facts, there: Position) -> Judgement:
    rules, bar = facts.rules, facts.rules.bar(there)
    if not rules.comparable:
        if facts.attested:
            return Judgement(Guard.COMPARISONS, True, f"nothing may be compared; attested by {facts.attested}")
        remedy = "name other evidence, such as the daily reconciliation in the target's own terms: --attest REFERENCE"
        return Judgement(Guard.COMPARISONS, False, "its contract lets nothing be compared (mirror NEVER)", remedy)
    done = facts.evidence.compared if facts.evidence else 0
    if done >= bar.comparisons:
        return Judgement(Guard.COMPARISONS, True, f"{done:,} comparisons of {bar.comparisons:,}")
    missing = f"{bar.comparisons - done:,} comparisons are missing: {done:,} of {bar.comparisons:,}"
    return Judgement(Guard.COMPARISONS, False, missing, _how_to_compare(facts, bar.comparisons - done))


def _how_to_compare(facts: Facts, missing: int) -> str:
    rules = facts.rules
    recorded = any(one.mirror == "RECORDED" for one in rules.comparable)
    if facts.here.state is State.LEGACY:
        return "take it to the shadow first: --to shadow"
    parts = ["record and replay pairs: metip parity record, metip parity replay"] if recorded else []
    if not recorded or any(one.mirror != "RECORDED" for one in rules.comparable):
        waited, done = facts.now - facts.since, facts.evidence.compared if facts.evidence else 0
        rate = done / waited if waited > 0 else 0.0
        when = f"at this rate in {_span(missing / rate)}" if rate else "none came yet"
        parts.append(f"wait ({when}), or raise samples.per_million in migration.yaml")
    return "; or ".join(parts)


def _parity(facts: Facts, there: Position) -> Judgement:
    bar, evidence = facts.rules.bar(there), facts.evidence
    if not facts.rules.comparable:
        return Judgement(Guard.PARITY, True, "nothing may be compared")
    if evidence is None or not evidence.compared:
        return Judgement(Guard.PARITY, not bar.parity, "nothing was compared yet", "" if not bar.parity else "see comparisons")
    found = f"agreement {evidence.parity:.3%}, at least {evidence.lower:.3%}; the bar is {bar.parity:.3%}"
    if evidence.lower >= bar.parity:
        return Judgement(Guard.PARITY, True, found)
    differing = differing_fields(evidence)
    if differing:
        named = f"{', '.join(differing[:3])}{' and more' if len(differing) > 3 else ''}"
        remedy = f"mend or accept {named}: metip parity report {facts.rules.interface}"
    else:
        remedy = f"{_needed(bar):,} comparisons without a difference prove so much: wait for more"
    return Judgement(Guard.PARITY, False, found, remedy)


def _needed(bar: Bar) -> int:
    """Comparisons without any difference whose lower bound reaches the bar."""
    square = 1.959964**2
    return round(square * bar.parity / max(1e-9, 1 - bar.parity))


def differing_fields(evidence: Evidence) -> tuple[str, ...]:
    """Fields whose differences are findings that nobody accepted, the most frequent first."""
    found = [one for one in evidence.fields if one.finding is Finding.FINDING]
    return tuple(f"{one.operation.partition('/')[2]} {one.field}" for one in sorted(found, key=lambda one: -one.differing))


def compared_figures(facts: Facts) -> tuple[Tally | None, float, float]:
    """What the new platform is judged by: its tally where it answers callers (None where only the comparator asked it), and the 99th
    percentiles of the old one and the new one in milliseconds, 0 where unknown."""
    evidence = facts.evidence
    if facts.here.percent == 0:
        return None, evidence.primary_p99_ms if evidence else 0.0, evidence.shadow_p99_ms if evidence else 0.0
    old = facts.old.p99_ms or (evidence.shadow_p99_ms if evidence and facts.here.percent == 100 else 0.0)
    return facts.new, old, facts.new.p99_ms


def _errors(facts: Facts, _there: Position) -> Judgement:
    tally, _, _ = compared_figures(facts)
    budget, evidence = facts.rules.watch.errors, facts.evidence
    if tally is None:
        if not facts.rules.comparable:
            return Judgement(Guard.ERRORS, True, "only the old platform was asked so far")
        if evidence is None or not evidence.compared:
            return Judgement(Guard.ERRORS, False, "the new platform was not asked yet", "see comparisons")
        calls, errors = evidence.compared, evidence.shadow_errors
        before = evidence.primary_errors / evidence.compared
    else:
        if tally.calls < LEAST_CALLS:
            return _few_calls(Guard.ERRORS, facts, tally)
        calls, errors, old = tally.calls, tally.errors, facts.old
        before = old.errors / old.calls if old.calls else 0.0
    share = errors / calls
    found = (
        f"{errors:,} of {calls:,} calls of the new platform failed ({share:.2%}; the old one {before:.2%}, the budget {budget:.2%} more)"
    )
    remedy = "" if share <= before + budget else f"find out why: metip status, and the log of adapter {facts.rules.system}"
    return Judgement(Guard.ERRORS, not remedy, found, remedy)


def _few_calls(guard: Guard, facts: Facts, tally: Tally) -> Judgement:
    if facts.unwatched:
        return Judgement(guard, False, "nobody counts calls: the hub's settings name no edge.access_log", "set edge.access_log")
    found = f"the new platform answered {tally.calls:,} calls since it stands here; {LEAST_CALLS} say something"
    return Judgement(guard, False, found, "wait for calls")


def _latency(facts: Facts, _there: Position) -> Judgement:
    tally, old, new = compared_figures(facts)
    if tally is None and not facts.rules.comparable:
        return Judgement(Guard.LATENCY, True, "only the old platform was asked so far")
    if tally is not None and tally.calls < LEAST_CALLS:
        return _few_calls(Guard.LATENCY, facts, tally)
    if not new:
        return Judgement(Guard.LATENCY, False, "the new platform was not asked yet", "see comparisons")
    most = max(old * GUARD_FACTOR, GUARD_FLOOR_MS)
    found = f"99 % of the new platform's calls within {new:,.0f} ms, the old one's within {old:,.0f} ms; {most:,.0f} ms are allowed"
    if new <= most:
        return Judgement(Guard.LATENCY, True, found)
    return Judgement(Guard.LATENCY, False, found, f"find out why it is slow: the log of adapter {facts.rules.system}")


def _accepted(facts: Facts, _there: Position) -> Judgement:
    if not facts.expired:
        return Judgement(Guard.ACCEPTED, True, "no acceptance of a difference is over")
    names = ", ".join(facts.expired)
    return Judgement(Guard.ACCEPTED, False, f"the acceptance of {names} is over", "mend it, or accept it anew: metip parity accept")


def _doubt(facts: Facts, _there: Position) -> Judgement:
    if not facts.doubts:
        return Judgement(Guard.DOUBT, True, "nothing is in doubt")
    return Judgement(Guard.DOUBT, False, f"{facts.doubts:,} in doubt", "settle each: metip messages list --state in_doubt")


def _clean(facts: Facts, there: Position) -> Judgement:
    needed, stood = facts.rules.bar(there).soak, facts.now - facts.since
    found = f"it stands here for {_span(stood)} without a step back; {_span(needed)} are needed"
    if stood >= needed:
        return Judgement(Guard.CLEAN, True, found)
    return Judgement(Guard.CLEAN, False, found, f"wait for {_span(needed - stood)}, or schedule it: --at")


def _untied(facts: Facts, _there: Position) -> Judgement:
    if not facts.tied:
        return Judgement(Guard.UNTIED, True, "no consumer is tied to the old platform")
    remedy = "let them go with everybody: metip migrate pin --release"
    return Judgement(Guard.UNTIED, False, f"{', '.join(facts.tied)} stays on the old platform", remedy)


def _hour(facts: Facts, _there: Position) -> Judgement:
    hours = facts.rules.hours
    if hours is None or hours.has(facts.now):
        return Judgement(Guard.HOUR, True, "it may switch at this hour" if hours else "it may switch at any hour")
    why = f" ({hours.because})" if hours.because else ""
    return Judgement(Guard.HOUR, False, f"it switches between {hours}{why}, and not now", f"schedule it: --at {hours.begin:%H:%M}")


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


JUDGES: Final[Mapping[Guard, Callable[[Facts, Position], Judgement]]] = {
    Guard.SERVED: _served,
    Guard.APPROVER: _approver,
    Guard.WHOLE: _whole,
    Guard.RING: _ring,
    Guard.COMPARISONS: _comparisons,
    Guard.PARITY: _parity,
    Guard.ERRORS: _errors,
    Guard.LATENCY: _latency,
    Guard.ACCEPTED: _accepted,
    Guard.DOUBT: _doubt,
    Guard.CLEAN: _clean,
    Guard.UNTIED: _untied,
    Guard.HOUR: _hour,
}
