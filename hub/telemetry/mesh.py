"""Metrics of the mesh: what Envoys were told and how they took it, who serves, what expires, and the calls that Envoy counted."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Final
from urllib.parse import quote

import grpc

from hub.contracts import reviews_due
from hub.identity import Lasting
from hub.mesh.admin import Admin
from hub.mesh.control import Control
from hub.mesh.going import weights_of
from hub.mesh.history import Outcome
from hub.mesh.resources import SEND_ORDER
from metip.telemetry import families
from metip.telemetry.samples import Samples

DAY: Final = 86_400.0
FILTER: Final = r"^cluster[.].*[.]grpc[.].*[.][0-9]+$"
COUNT: Final = re.compile(r"cluster\.(?P<cluster>.+?)\.grpc\.(?P<interface>.+)\.(?P<method>[^.]+)\.(?P<code>[0-9]+): (?P<count>[0-9]+)")
NAMES: Final = {str(status.value[0]): status.name for status in grpc.StatusCode}
MADE: Final = (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.REJECTED, Outcome.TIMED_OUT_WAITING)
"""Outcomes of changes; what changes nothing is none."""


def of_changes(control: Control, envoys: Callable[[], int], samples: Samples) -> None:
    """Changes of the mesh, and the Envoys' answers."""
    publisher = control.publisher
    samples.put(families.ENVOYS, envoys())
    for outcome in MADE:
        samples.put(families.CHANGES, publisher.history.outcomes[outcome], outcome.value)
    samples.put_spread(families.CHANGE_SECONDS, publisher.history.spread)
    for kind in SEND_ORDER:
        samples.put(families.ACKS, publisher.acknowledgements[kind], kind.word)
        samples.put(families.NACKS, publisher.rejections[kind], kind.word)
    for change in publisher.history.latest(1):
        samples.put(families.LAST_CHANGE, change.finished.timestamp(), change.outcome.value)


def of_instances(control: Control, samples: Samples) -> None:
    """Workers by system, time limits of operations, and the weights of systems that share an interface."""
    inputs = control.inputs
    known = {one.system for one in inputs.contracts.interfaces if not one.private} | {one.system for one in inputs.contracts.back_ends}
    serving = [one.system for one in inputs.instances]
    for system in sorted(known | set(serving)):
        samples.put(families.INSTANCES, serving.count(system), system)
    for operation in inputs.contracts.operations.values():
        samples.put(families.TIMEOUT, operation.timeout, operation.name)
    for interface in inputs.contracts.interfaces:
        if inputs.contracts.back_ends_of(interface.name):
            for system, _, weight in weights_of(inputs.contracts, interface, inputs.traffic):
                samples.put(families.WEIGHT, weight, interface.name, system)


def of_reviews(control: Control, today: Callable[[], date], samples: Samples) -> None:
    """Impact assessments that are to be reviewed soon."""
    due = reviews_due(control.inputs.contracts, today())
    samples.put(families.REVIEWS_DUE, len(due))
    for one in due:
        samples.put(families.REVIEW_DAYS, one.days, one.element)


def of_certificates(certificates: Callable[[], Iterable[Lasting]], samples: Samples) -> None:
    """How long certificates last: of several for one use, the one that ends first."""
    now, ends = datetime.now(UTC), dict[str, float]()
    for one in certificates():
        days = (one.not_after - now).total_seconds() / DAY
        ends[one.use] = min(days, ends.get(one.use, days))
        samples.put(families.CERTIFICATE_SOON, float(one.expires_soon), one.use)
    for use, days in ends.items():
        samples.put(families.CERTIFICATE_DAYS, days, use)


async def of_edge(admin: Admin, samples: Samples) -> None:
    """Calls as Envoy counted them. Raises `EnvoyGoneError`."""
    page = await admin.get(f"/stats?usedonly&filter={quote(FILTER)}")
    for found in COUNT.finditer(page):
        operation = f"{found['interface']}/{found['method']}"
        samples.put(families.EDGE_CALLS, int(found["count"]), operation, NAMES.get(found["code"], found["code"]))
