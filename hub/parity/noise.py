"""Tells a difference from noise: the primary against itself is the measure, field by field, as Diffy does it, with an exact test.

Of `compared` pairs `differing` show a difference; of `again` second answers of the primary `noisy` show the same one against the first.
Were it noise, each sighting would be in the second group with the chance that its size gives: the number there is hypergeometric (Fisher's
exact test, one-sided). It needs no assumption on rates and no approximation for rare events, and is careful where pairs share an answer.
"""

import math
from dataclasses import dataclass
from typing import Final

ALPHA_UNSEEN: Final = 1e-3
"""Bar for what the primary never did itself. Sightings come one by one, each in the second group with a fixed chance, so that looking often
does not raise the probability of a false alarm."""
ALPHA: Final = 1e-5
"""Bar for what the primary does itself, only less often. Low, since it is looked at again and again, for every field."""
ALPHA_ONE_SIDED: Final = 1e-6
"""Bar for a damage that only one side shows: of noise that comes to both alike each direction is as likely as the other. It holds only
where no passing of time explains the direction, since the shadow is asked after the primary."""
FEWEST: Final = 3
"""Sightings below which nothing is proved."""
Z: Final = 1.959963984540054
"""Standard deviations of a 95 % interval."""
NEGLIGIBLE: Final = 1e-16


@dataclass(frozen=True, slots=True)
class Sightings:
    """How often one difference was seen: between the platforms, and of the primary against itself."""

    differing: int
    compared: int
    noisy: int
    again: int


def probability(seen: Sightings) -> float:
    """Probability that noise alone shows the difference at most as often in the second group as it was seen there, 0 to 1.

    1 where nothing was asked again, since nothing is known of noise then.
    """
    total = seen.differing + seen.noisy
    if not seen.again or not seen.differing or not seen.compared:
        return 1.0
    population = seen.compared + seen.again
    if seen.noisy * population >= total * seen.again:
        return 1.0  # no rarer than noise would be; the exact value, above a half, is of no use to anybody
    term = math.exp(_log_choose(seen.again, seen.noisy) + _log_choose(seen.compared, seen.differing) - _log_choose(population, total))
    found, count = term, seen.noisy
    while count > 0 and term > found * NEGLIGIBLE:
        # P(Y = y - 1) / P(Y = y) of the hypergeometric distribution
        term *= count * (seen.compared - total + count) / ((seen.again - count + 1) * (total - count + 1))
        found += term
        count -= 1
    return min(found, 1.0)


def one_sided(forward: int, backward: int) -> float:
    """Probability that of sightings which come in both directions alike so many are forward (sign test), 0 to 1."""
    total = forward + backward
    if forward <= backward:
        return 1.0
    return min(sum(math.exp(_log_choose(total, count) - total * math.log(2)) for count in range(backward + 1)), 1.0)


def is_proved(seen: Sightings, reverse: int | None = None) -> bool:
    """Whether a difference is significantly more than noise.

    `reverse` counts sightings of the same damage in the other direction; None for one that has no direction, or one that time explains.
    """
    if seen.differing < FEWEST:
        return False
    if probability(seen) < (ALPHA if seen.noisy else ALPHA_UNSEEN):
        return True
    return reverse is not None and not seen.noisy and one_sided(seen.differing, reverse) < ALPHA_ONE_SIDED


def needed(seen: Sightings) -> int:
    """Second answers that would prove the difference, were it seen as often as now and never of the primary itself; 0 if it was seen there.

    (compared / (compared + again)) ** differing < bar, solved for `again`.
    """
    if seen.noisy or not seen.differing:
        return 0
    share: float = ALPHA_UNSEEN ** (1 / seen.differing)
    return math.ceil(seen.compared * (1 - share) / share)


def wilson(count: int, total: int, *, z: float = Z) -> tuple[float, float]:
    """Lower and upper bound of a proportion (Wilson's score interval); (0, 1) of nothing."""
    if not total:
        return 0.0, 1.0
    share, square = count / total, z * z
    middle = share + square / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    low, high = (middle - spread) / (1 + square / total), (middle + spread) / (1 + square / total)
    return (0.0 if not count else max(low, 0.0)), (1.0 if count == total else min(high, 1.0))


def _log_choose(total: int, count: int) -> float:
    if not 0 <= count <= total:
        return -math.inf
    return math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
