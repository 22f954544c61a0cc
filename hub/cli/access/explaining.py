"""`metip access explain`: may a consumer call an operation, and which grant says so or what is missing."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import home_option, json_option
from hub.cli.printing import FAILED, OK, mark

if TYPE_CHECKING:
    from hub.access.judging import Question, Verdict


@click.command(
    epilog="\b\nExamples:\n"
    "  metip access explain --consumer consumer/tablet --operation GetExample\n"
    "  metip access explain --consumer consumer/tablet --operation GetExample --role response --purpose street_stop\n"
    "  metip access explain --consumer consumer/batch --operation GetExample --without-token --json\n"
    "  metip access explain --consumer consumer/tablet --operation GetExample --policy new.yaml\n\n"
    "Exit status: 0 allowed, 3 refused, 1 something is wrong, 2 not understood."
)
@click.option("--consumer", required=True, metavar="SPIFFE-ID", help="The consumer: an id, or its path in the trust domain.")
@click.option("--operation", required=True, metavar="NAME", help="The operation: a full name, or its end as far as that is unique.")
@click.option("--role", "roles", multiple=True, help="A role in the officer's token; may be repeated.")
@click.option("--purpose", metavar="WORD", help="The purpose; without it, all that may be stated are listed.")
@click.option("--without-token", is_flag=True, help="No officer is behind the call.")
@click.option("--policy", type=click.Path(dir_okay=False, path_type=Path), help="Judge by this file instead of the policy in force.")
@home_option
@json_option
def explain(
    consumer: str,
    operation: str,
    roles: tuple[str, ...],
    purpose: str | None,
    without_token: bool,
    policy: Path | None,
    home: Path,
    as_json: bool,
) -> None:
    """Say whether a consumer may call an operation, which grant says so, or what is missing.

    Judged by the very rights that Envoy and the adapters are given.
    """
    from hub.access.judging import Question, judge
    from hub.cli.access.policies import REFUSED, in_home, of_file, purpose_named, trust_domain, whole_id
    from hub.cli.messages import contracts, operation_named

    if without_token and roles:
        raise click.UsageError("--role is in a token, and --without-token says that there is none")
    known, domain = contracts(), trust_domain(home)
    question = Question(
        whole_id(consumer, domain),
        operation_named(operation, known),
        None if without_token else roles,
        purpose_named(purpose) if purpose else "",
    )
    verdict = judge(question, known, of_file(policy, known, domain).policy if policy else in_home(home, known), domain)
    if as_json:
        printing.print_json(
            {
                "consumer": question.consumer,
                "operation": question.operation.name,
                "roles": None if question.roles is None else list(question.roles),
                "purpose": question.purpose or None,
                "allowed": verdict.allowed,
                "grants": list(verdict.grants),
                "purposes": list(verdict.purposes),
                "missing": list(verdict.missing),
                "refused_by": verdict.refused_by or None,
                "reasons": list(verdict.reasons),
            }
        )
    else:
        _say(question, verdict)
    if not verdict.allowed:
        click.get_current_context().exit(REFUSED)


def _say(question: "Question", verdict: "Verdict") -> None:
    words = f"{question.consumer} may {'' if verdict.allowed else 'not '}call {question.operation.name}"
    words += f" for {_word(question.purpose)}" if question.purpose else ""
    click.echo(f"{mark(OK if verdict.allowed else FAILED)} {words}")
    if verdict.allowed:
        click.echo(f"  granted by: {', '.join(verdict.grants)}")
    else:
        click.echo(f"  refused by: {verdict.refused_by}")
        for reason in verdict.reasons:
            click.echo(f"  missing:    {reason}")
        if verdict.grants:
            click.echo(f"  would be granted by: {', '.join(verdict.grants)}")
    if verdict.purposes and not question.purpose:
        click.echo(f"  purposes:   {', '.join(map(_word, verdict.purposes))}")


def _word(purpose: str) -> str:
    return purpose.lower().replace("_", " ")
