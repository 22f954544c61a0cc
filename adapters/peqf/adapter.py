"""Learners as the roster has them; enrolments put as files; the first worker reads what the learning partner puts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from adapters.kit import Call, Fault, Reason, Site
from adapters.kit.drops import Latest
from adapters.kit.errands import meanwhile, repeat
from adapters.kit.gathering import Gatherer
from adapters.kit.outcomes import DELIVERED, Outcomes
from adapters.kit.publishing import publish
from adapters.kit.times import seconds
from adapters.kit.values import timestamp
from adapters.peqf import translate, wire
from adapters.peqf.reading import Reader
from adapters.peqf.records import Enrolled, Enrolment
from adapters.peqf.upstream import IN, Partner
from metip.common.v1.answer_pb2 import Provenance
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.peqf.v1.enrolment_service_pb2 import PublishEnrolmentRequest
from metip.peqf.v1.learner_service_pb2 import GetLearnerRequest, GetLearnerResponse, ListCohortRequest, ListCohortResponse
from metip.peqf.v1.progress_service_pb2 import PublishProgressRequest
from metip.peqf.v1.progress_service_pb2_grpc import ProgressServiceStub
from metip.peqf.v1.settings_pb2 import Settings

NAME, LARGEST_FILE, PAGE = "PEQF", 500, 50
GATHER_FOR, POLL_EVERY, INCOMPLETE_FOR, ROSTER_EVERY = 0.5, 5.0, 600.0, 60.0


class Learners:
    """What the latest roster says."""

    interface = "metip.peqf.v1.LearnerService"

    def __init__(self, roster: Latest[Enrolled]) -> None:
        self._roster = roster

    async def GetLearner(self, request: GetLearnerRequest, call: Call) -> GetLearnerResponse:
        """Looks one learner up by whichever number is known."""
        held = await self._roster.current(call)
        key = request.WhichOneof("key") or ""
        wanted = request.uln.value if key == "uln" else getattr(request, key)
        found = next((one for one in held.rows.values() if wanted and getattr(one, key) == wanted), None)
        if found is None:
            raise Fault(Reason.NO_TRACE, "the roster has no such learner")
        learner, issues = translate.learner(found, held.manifest.code_set)
        return GetLearnerResponse(
            learner=learner, issues=issues, provenance=Provenance(system=NAME, as_of=timestamp(held.manifest.created))
        )

    async def ListCohort(self, request: ListCohortRequest, call: Call) -> ListCohortResponse:
        """Lists a page of a cohort; the token is the place of the page after it, and says of which roster."""
        held = await self._roster.current(call)
        everybody = sorted((one for one in held.rows.values() if one.cohort == request.cohort), key=lambda one: one.learner_id)
        if not everybody:
            raise Fault(Reason.NO_TRACE, "the roster has no such cohort")
        name, _, first = request.page_token.partition(":")
        if name not in ("", held.name):
            problem = "belongs to a roster that is no longer the latest: begin again"
            raise Fault(Reason.INVALID_REQUEST, f"the page token {problem}", fields=(("page_token", problem),))
        begin, end = int(first or 0), int(first or 0) + (request.page_size or PAGE)
        return ListCohortResponse(
            learners=[translate.learner(one, held.manifest.code_set)[0] for one in everybody[begin:end]],
            next_page_token=f"{held.name}:{end}" if end < len(everybody) else "",
            total=len(everybody),
            provenance=Provenance(system=NAME, as_of=timestamp(held.manifest.created)),
        )


class Enrolments:
    """Enrolments for the learning partner."""

    interface = "metip.peqf.v1.EnrolmentService"

    def __init__(self, gatherer: Gatherer[Enrolment]) -> None:
        self._gatherer = gatherer

    async def PublishEnrolment(self, request: PublishEnrolmentRequest, call: Call) -> Receipt:
        """Puts the enrolment into the next file; what becomes of it is reported when the partner's receipt is read."""
        if call.handover is None:
            raise Fault(Reason.MALFORMED, "enrolments come from the exchange, under the id that it gives them")
        await self._gatherer.submit(translate.enrolment(request, call.handover.message_id))
        return DELIVERED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves both interfaces, and reads what the partner puts, for the length of the block."""
    async with AsyncExitStack() as stack:
        partner = await stack.enter_async_context(Partner.connected(settings, site.log))
        roster = Latest(partner, IN, wire.ROSTER, Enrolled, site.log, seconds(settings, "roster_every", ROSTER_EVERY))
        gatherer = Gatherer(partner.enrol, gather_for=seconds(settings, "gather_for", GATHER_FOR), largest=LARGEST_FILE)
        stack.push_async_callback(gatherer.close)
        mesh = site.mesh if site.first and site.hub else None
        if mesh is not None:
            outcomes = await stack.enter_async_context(Outcomes.connected(site.hub, "peqf", site.log))

            async def hand_over(request: PublishProgressRequest) -> Receipt:
                return await publish(ProgressServiceStub(mesh.channel()).PublishProgress, request, site.log)

            reader = Reader(partner, roster, hand_over, outcomes, site.log, seconds(settings, "incomplete_for", INCOMPLETE_FOR))
            await stack.enter_async_context(meanwhile(repeat(reader.look, every=seconds(settings, "poll_every", POLL_EVERY))))
        elif site.first:
            site.log.line("not_publishing", reason="no way to the exchange")
        yield (Learners(roster), Enrolments(gatherer))
