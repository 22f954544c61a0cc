"""`metip messages replay` and `approve`: first a plan of what would be replayed, then, by a person's word, the replay; once."""

from datetime import UTC, datetime
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Caller, access, asked, caller_options, reason_option
from hub.cli.exchange.documents import counts, stamp
from hub.cli.exchange.filters import Wanted, filter_of, filter_options
from hub.cli.exchange.moments import written
from hub.cli.exchange.names import MessageId
from hub.cli.options import Problem
from hub.cli.printing import OK, WARNED, aligned, count, mark, span

ONCE_MORE: Final = "delivered once more"
WHAT_FOLLOWS: Final = {
    "pending": "left: it is delivered anyhow",
    "attempt": "left: it is under way",
    "parked": "released",
    "expired": "released",
    "in_doubt": "released, though it may have had its effect",
}
"""What a replay does to a delivery in a state; any other is delivered once more."""


@click.command(
    cls=Changing,
    when=lambda given: bool(given["yes"] or given["plan_id"]),
    epilog="\b\nExamples:\n"
    "  metip messages replay --subscription PublishExample --since 2h --reason 'The far system lost the hour'\n"
    "  metip messages replay --plan 6f1d2c3a-58be-4c5e-9b1a-2f6d0c8e7a41 --reason 'As planned'\n"
    "  metip messages replay --state parked --cause UPSTREAM_UNAVAILABLE --reason 'It is back' --yes\n\n"
    "A plan fixes its deliveries for an hour. What waits for a person is released; what is done is delivered once more as a message of its "
    "own with the same content and key; what is under way is left. An operation that is not idempotent needs a second person's approval. "
    "Ends with status 1 when nothing matches or an approval is missing.",
)
@click.option("--plan", "plan_id", type=MessageId(), metavar="ID", help="Carry out this plan instead of making one.")
@filter_options(cause=("--cause",))
@reason_option
@click.option("--yes", "-y", is_flag=True, help="Carry the plan out at once, unless it needs an approval.")
@caller_options
def replay(caller: Caller, wanted: Wanted, plan_id: str | None, reason: str, yes: bool) -> None:
    """Plan a replay and say what it would do; carry it out only when told to.

    That is told with --yes, or later with --plan and the id that was printed.
    """
    if plan_id and not wanted.empty:
        raise click.UsageError("a plan has its deliveries already: give --plan or a filter, not both")
    if plan_id:
        _tell_done(caller, plan_id, _carry_out(caller, plan_id, reason))
        return
    if wanted.empty:
        raise click.UsageError("say what to replay: a filter such as --state parked or --since 2h, or --plan ID")
    plan = _planned(caller, wanted, reason)
    number = sum(one.deliveries for one in plan.counts)
    if not number:
        raise Problem("no delivery matches, so there is nothing to replay", "`metip messages list` shows what there is")
    if not caller.as_json:
        for line in plan_lines(plan, datetime.now(UTC)):
            click.echo(line)
    done = _carry_out(caller, plan.plan_id, reason) if yes and not plan.needs_approval else None
    if caller.as_json:
        printing.print_json(_document(plan, done))
    elif done is not None:
        _tell_done(caller, plan.plan_id, done)
    else:
        _tell_next(plan)
    if yes and done is None:
        click.get_current_context().exit(1)


def _planned(caller: Caller, wanted: Wanted, reason: str) -> Any:
    from metip.exchange.v1.exchange_service_pb2 import PlanReplayRequest

    async def ask(exchange: Any) -> Any:
        return await exchange.ask("PlanReplay", PlanReplayRequest(access=access(reason), filter=await filter_of(wanted, exchange)))

    return asked(caller, ask)


def _carry_out(caller: Caller, plan_id: str, reason: str) -> Any:
    from metip.exchange.v1.exchange_service_pb2 import ReplayRequest

    request = ReplayRequest(access=access(reason), plan_id=plan_id)
    return asked(caller, lambda exchange: exchange.ask("Replay", request))


def plan_lines(plan: Any, now: datetime) -> list[str]:
    """A plan for people."""
    tally = counts(plan.counts)
    left = (plan.expires.ToDatetime(tzinfo=UTC) - now).total_seconds()
    approval = "is needed from a second person: some of its operations are not idempotent" if plan.needs_approval else "is not needed"
    return [
        f"plan       {plan.plan_id}",
        f"replays    {count(sum(tally.values()), 'delivery', 'deliveries')}",
        *aligned([(state, str(number), WHAT_FOLLOWS.get(state, ONCE_MORE)) for state, number in tally.items()], indent="  "),
        f"approval   {approval}",
        f"expires    {written(plan.expires)} UTC, in {span(max(0.0, left))}",
    ]


def _tell_next(plan: Any) -> None:
    if plan.needs_approval:
        click.echo(
            f"{mark(WARNED)} not replayed yet. Somebody else runs: metip messages approve {plan.plan_id} --officer NUMBER --reason …"
        )
        click.echo(f"  then you: metip messages replay --plan {plan.plan_id} --reason …")
    else:
        click.echo(f"{mark(WARNED)} not replayed yet. To do it: metip messages replay --plan {plan.plan_id} --reason …")


def _tell_done(caller: Caller, plan_id: str, done: Any) -> None:
    if caller.as_json:
        printing.print_json({"plan_id": plan_id, "replayed": done.replayed, "left": done.left})
        return
    left = f", {done.left} left since they are under way anyhow" if done.left else ""
    click.echo(f"{mark(OK)} replayed: {count(done.replayed, 'delivery', 'deliveries')}{left}")


def _document(plan: Any, done: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "plan_id": plan.plan_id,
        "counts": counts(plan.counts),
        "needs_approval": plan.needs_approval,
        "expires": stamp(plan.expires),
    }
    return found if done is None else found | {"replayed": done.replayed, "left": done.left}


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip messages approve 6f1d2c3a-58be-4c5e-9b1a-2f6d0c8e7a41 --officer 200002YY --reason 'Checked with the far system'\n\n"
    "Whoever planned it can't approve it. On a laptop --officer makes you somebody else; at work everybody has a token of their own.",
)
@click.argument("plan_id", type=MessageId(), metavar="PLAN")
@reason_option
@caller_options
def approve(caller: Caller, plan_id: str, reason: str) -> None:
    """Approve a replay that somebody else planned."""
    from metip.exchange.v1.exchange_service_pb2 import ApproveReplayRequest

    request = ApproveReplayRequest(access=access(reason), plan_id=plan_id)
    asked(caller, lambda exchange: exchange.ask("ApproveReplay", request))
    if caller.as_json:
        printing.print_json({"plan_id": plan_id, "approved": True})
    else:
        click.echo(f"{mark(OK)} approved; to carry it out: metip messages replay --plan {plan_id} --reason …")
