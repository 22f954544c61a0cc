"""What the database holds before the hub sends anything: the footwear of people detained some weeks ago."""

from datetime import timedelta

from adapters.footwear import codes
from adapters.footwear.records import Impression, Shoe
from adapters.footwear.translate import reference
from adapters.kit.population import Population
from adapters.kit.population.past import PastDetention, past_detentions

MAKES = (("NIKE", "AIR FORCE 1"), ("ADIDAS", "SAMBA"), ("REEBOK", "CLASSIC"), ("PUMA", "SUEDE"))
ELEMENTS = ("ZBC", "CB", "DZ", "B")
"""Elements of invented patterns: zigzag, block, circle, diamond."""
MODES = "DZR"


def held_before(population: Population) -> tuple[Impression, ...]:
    """Seven of ten were scanned (Footwear Times, April 2015: about 70% of detainees)."""
    return tuple(_impression(one) for one in past_detentions(population) if one.number % 10 < 7)


def _impression(detention: PastDetention) -> Impression:
    number = detention.number
    make, model = MAKES[number % len(MAKES)]
    return Impression(
        reference=reference(detention.custody_number),
        version=2,
        station=detention.arrest.force_station,
        offences=tuple(one.cjs_code for one in detention.arrest.offences),
        shoe=Shoe(
            pattern=f"{ELEMENTS[number % len(ELEMENTS)]}{170 + number:04d}",
            size=f"{7 + number % 5:02d}{number % 2 * 5}",
            make=make,
            model=model,
        ),
        scan=MODES[number % len(MODES)],
        scanned_at=detention.arrived_at + timedelta(minutes=50),
        status=codes.CODED,
    )
