"""Reports in words and as one page: a verdict that a programme board understands, then numbers by operation and field.

Pure: messages of the service in, text out. The page fetches nothing, needs no script, and says nothing by colour alone.
"""

import html
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import Message

from metip.parity.v1 import verdict_pb2 as words

FINDINGS: Final = {
    words.FINDING_DIFFERENCE: "differs",
    words.FINDING_UNPROVED: "not proved",
    words.FINDING_ACCEPTED: "accepted",
    words.FINDING_NOISE: "noise",
}
"""What is made of a field, in a word or two."""
EXPLAINED: Final = {
    "differs": "the two platforms differ here more than the old one differs from itself; somebody must look at it",
    "not proved": "a difference that was seen too rarely to be told from chance; it counts as one until it is",
    "accepted": "a difference that somebody looked at and accepted, for the reason given",
    "noise": "the platform that answers differs from itself as much, so that this says nothing of the other",
}
FIELD_COLUMNS: Final = (
    "finding",
    "field",
    "operation",
    "differing",
    "share",
    "95 % interval",
    "noise",
    "confidence",
    "kinds",
    "looks like",
)


def document(message: Message) -> Any:
    """The message as a JSON document, with figures of 0 too."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def per_cent(count: int, total: int) -> str:
    """A share for people, rounded towards less agreement: never 100 % where anything is missing, nor 0 % where something is there."""
    if not total:
        return "–"  # noqa: RUF001 - a dash where there is no number
    share = count / total * 100
    if 0 < share < 0.001:
        return "< 0.001 %"
    if 99.999 < share < 100:
        return "> 99.999 %"
    return f"{share:.3f}".rstrip("0").rstrip(".") + " %"


def headline(report: Any) -> str:
    """The verdict in one sentence."""
    open_fields = [one for one in report.fields if one.finding in (words.FINDING_DIFFERENCE, words.FINDING_UNPROVED)]
    if not report.compared:
        return f"Nothing of {report.interface} was compared."
    if not open_fields:
        return f"The two platforms answer alike on {report.interface}."
    proved = [one for one in open_fields if one.finding == words.FINDING_DIFFERENCE]
    if proved:
        return f"The two platforms do not answer alike on {report.interface}: {_count(len(proved), 'field')} to look at."
    return f"The two platforms seem to answer alike on {report.interface}, but for {_count(len(open_fields), 'field')} not proved yet."


def sentences(report: Any) -> list[str]:
    """What a board wants to know beyond the verdict, in plain sentences."""
    if not report.compared:
        return []
    agreeing = report.compared - report.differing
    lower = per_cent(round(report.parity_lower * 1e9), 10**9)
    found = [
        f"{agreeing:,} of {report.compared:,} compared calls agree ({per_cent(agreeing, report.compared)}).",
        f"With 95 % confidence at least {lower} of all calls do.",
        f"Errors: {report.primary_errors:,} of the platform that answered, {report.shadow_errors:,} of the other.",
        f"99 % of answers came within {report.primary_p99_ms:.0f} ms, and {report.shadow_p99_ms:.0f} ms of the other.",
    ]
    again = sum(one.again for one in report.operations)
    if again:
        found.append(f"{again:,} calls were asked twice of the same platform, to know by how much it differs from itself.")
    else:
        found.append("No call was asked twice of the same platform, so noise is not known, and whatever differs counts.")
    counts = {word: sum(1 for one in report.fields if FINDINGS.get(one.finding) == word) for word in ("accepted", "noise")}
    if counts["accepted"]:
        found.append(f"{_count(counts['accepted'], 'field')} differ in a way that was accepted.")
    return found


def words_of_field(verdict: Any) -> list[str]:
    """One field in plain sentences."""
    finding = FINDINGS.get(verdict.finding, "unknown")
    found = [
        f"Finding: {finding}: {EXPLAINED.get(finding, '')}.",
        f"It differed in {verdict.differing:,} of {verdict.compared:,} comparisons: {per_cent(verdict.differing, verdict.compared)}.",
        f"That is {_interval(verdict)} with 95 % confidence.",
        f"The primary differed from itself in {verdict.noise_differing:,} of {verdict.noise_compared:,}.",
        f"Confidence that it is no noise: {_confidence(verdict)}.",
        f"First seen {_moment(verdict.first_seen)}, last {_moment(verdict.last_seen)}.",
    ]
    if verdict.hints:
        found.append(f"Looks like: {'; '.join(verdict.hints)}.")
    if verdict.because:
        found.append(f"Accepted because: {verdict.because}")
    if verdict.needed:
        found.append(f"About {verdict.needed:,} more calls asked twice would prove it.")
    return found


def operation_rows(report: Any) -> list[tuple[str, ...]]:
    """Cells by operation: name, compared, differing, agreement, lower bound, asked twice."""
    from hub.parity.noise import wilson

    rows: list[tuple[str, ...]] = []
    for one in report.operations:
        agreeing = one.compared - one.differing
        lower = per_cent(round(wilson(agreeing, one.compared)[0] * 1e9), 10**9)
        rows.append((one.operation, f"{one.compared:,}", f"{one.differing:,}", per_cent(agreeing, one.compared), lower, f"{one.again:,}"))
    return rows


def field_rows(report: Any) -> list[tuple[str, ...]]:
    """Cells by field, in the order of `FIELD_COLUMNS`."""
    return [
        (
            FINDINGS.get(one.finding, "unknown"),
            one.field,
            one.operation.rpartition("/")[2],
            f"{one.differing:,}",
            per_cent(one.differing, one.compared),
            _interval(one),
            per_cent(one.noise_differing, one.noise_compared),
            _confidence(one),
            ", ".join(f"{kind} {count:,}" for kind, count in sorted(one.kinds.items())),
            "; ".join(one.hints),
        )
        for one in report.fields
    ]


def page(report: Any) -> str:
    """The report as one HTML page."""
    made, since = _moment(report.made), _moment(report.since) if report.HasField("since") else "the beginning"
    parts = [
        f"<p class='verdict' role='status'>{_text(headline(report))}</p>",
        *(f"<p>{_text(sentence)}</p>" for sentence in sentences(report)),
        f"<p>Counted since {_text(since)}; made {_text(made)}.</p>",
        _table(
            "By operation",
            ("operation", "compared", "differing", "agreement", "at least (95 %)", "asked twice"),
            operation_rows(report),
            numbers=(1, 2, 3, 4, 5),
        ),
        _table("By field", (*FIELD_COLUMNS, "first seen", "last seen", "because"), list(_page_rows(report)), numbers=(3, 4, 5, 6, 7)),
        "<h2>What the findings mean</h2><dl>",
        *(f"<dt>{_text(word)}</dt><dd>{_text(meaning)}</dd>" for word, meaning in EXPLAINED.items()),
        "</dl>",
    ]
    title = _text(f"Parity of {report.interface}")
    return (
        f"<!DOCTYPE html>\n<html lang='en-GB'>\n<head>\n<meta charset='utf-8'>\n<title>{title}</title>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


STYLE: Final = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0}main{max-width:80rem;margin:auto;padding:1rem}"
    ".verdict{font-size:1.4rem;font-weight:600;border-left:.4rem solid;padding-left:.8rem}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "caption{font-size:1.2rem;font-weight:600;text-align:left;padding:.5rem 0}"
    "th,td{border-bottom:1px solid #888;padding:.35rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere;min-width:5rem}"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}dt{font-weight:600}"
    "@media print{main{max-width:none}.scroll{overflow:visible}table{font-size:.7rem}}"
)


def _page_rows(report: Any) -> Iterable[tuple[str, ...]]:
    for one, row in zip(report.fields, field_rows(report), strict=True):
        yield (*row, _moment(one.first_seen), _moment(one.last_seen), one.because)


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int]) -> str:
    if not rows:
        return f"<h2>{_text(caption)}</h2><p>Nothing differs.</p>"

    def cell(tag: str, place: int, content: str) -> str:
        kind = " class='n'" if place in numbers else ""
        scope = " scope='col'" if tag == "th" else ""
        return f"<{tag}{scope}{kind}>{_text(content)}</{tag}>"

    head = "".join(cell("th", place, one) for place, one in enumerate(columns))
    body = "".join(f"<tr>{''.join(cell('td', place, one) for place, one in enumerate(row))}</tr>" for row in rows)
    region = f"<div class='scroll' role='region' tabindex='0' aria-label='{_text(caption)}'>"
    return f"{region}<table><caption>{_text(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _interval(one: Any) -> str:
    return f"{per_cent(round(one.rate_lower * 1e9), 10**9)} to {per_cent(round(one.rate_upper * 1e9), 10**9)}"


def _confidence(one: Any) -> str:
    return per_cent(round(one.confidence * 1e9), 10**9) if one.confidence < 1 else "> 99.999 %"


def _moment(stamp: Any) -> str:
    return f"{datetime.fromtimestamp(stamp.seconds, UTC):%d %B %Y %H:%M} UTC" if stamp.seconds else "never"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
