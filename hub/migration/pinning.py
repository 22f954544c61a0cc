"""Whether a consumer may go another way than everybody: who goes first passes the guards of a canary, who stays behind needs none."""

from dataclasses import replace

from hub.migration import guards
from hub.migration.guards import Facts, Judgement
from hub.migration.states import Guard, Platform, State, at

FIRST = 1
"""The per cent of a canary whose bar holds for a consumer that goes first."""


def judge(facts: Facts, platform: Platform | None) -> tuple[Judgement, ...]:
    """What is to be said of tying a consumer to a platform, or of letting it go (None)."""
    if platform is None:
        return ()
    if facts.rules.undivided:
        why = "the plan moves it as a whole" if facts.rules.whole else "it has no query"
        return (_failed(Guard.WHOLE, f"{why}, so no consumer goes another way", "move the interface: metip migrate step"),)
    if platform is Platform.METIP:
        if facts.here.state is State.NEW:
            return (_failed(Guard.UNTIED, "the old platform is not asked any more", "step back first: metip migrate back --to primary"),)
        return ()
    if facts.here.state is State.LEGACY:
        return (_failed(Guard.COMPARISONS, "nothing is compared yet", "take it to the shadow first: --to shadow"),)
    if facts.here.percent == 100:
        return (_failed(Guard.WHOLE, "everybody is on the new platform already", "there is nothing to do"),)
    # In a canary more proof exists than the first per cent needs; in the shadow that is the bar.
    ahead = replace(facts, here=at(State.SHADOW)) if facts.here.percent == 0 else facts
    there = at(State.CANARY, FIRST if facts.here.percent == 0 else min(99, facts.here.percent + 1))
    judged = guards.judge(ahead, there) if there != facts.here else guards.judge(facts, at(State.PRIMARY))
    return tuple(one for one in judged if one.guard is not Guard.RING)


def _failed(guard: Guard, found: str, remedy: str) -> Judgement:
    return Judgement(guard, False, found, remedy)
