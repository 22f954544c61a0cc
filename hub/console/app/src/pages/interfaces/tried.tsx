/** What came of a call that was tried: replies, or who refused it and why. */

import type { TryOperationResponse } from "@gen/metip/console/v1/try_service_pb";
import { Tag } from "@/parts/tag";
import { addressOf } from "@/route";
import { milliseconds, plural, secondsOf, shortName } from "@/words/formatting";

export function Tried({ told: { status, replies, more, refusal, took, callId, consumer } }: { told: TryOperationResponse }) {
  return (
    <>
      <p class="govuk-body">
        <Tag tone={status === "OK" ? "good" : "bad"}>{status}</Tag> in {milliseconds((secondsOf(took) ?? 0) * 1000)}, as {shortName(consumer)}{" "}
        {callId && <a class="govuk-link" href={addressOf("messages", callId)}>the whole story of this call</a>}
      </p>
      {refusal && (
        <div class="govuk-inset-text">
          <p class="govuk-body">
            <code>{refusal.reason}</code> by {refusal.domain}: {refusal.text}
          </p>
          <p class="govuk-body">{refusal.advice}</p>
          {refusal.violations.length > 0 && (
            <ul class="govuk-list govuk-list--bullet">
              {refusal.violations.map(({ field, description }) => (
                <li key={field + description}>
                  <code>{field}</code>: {description}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      {replies.map((reply, place) => (
        // What comes back has no name of its own but its place.
        // oxlint-disable-next-line react/no-array-index-key
        <pre class="code reply" key={place} tabIndex={0} aria-label={`Reply ${place + 1}`}>{laidOut(reply)}</pre>
      ))}
      {more > 0 && <p class="govuk-body">{plural(more, "further reply", "further replies")} not shown.</p>}
    </>
  );
}

function laidOut(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
