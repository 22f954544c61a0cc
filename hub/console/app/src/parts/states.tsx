/** What stands where an answer should: waiting, nothing found, refused. Each says what to do next. */

import type { ComponentChildren } from "preact";
import type { Answer } from "@/live";
import type { Fault } from "@/words/faults";

export const Waiting = () => (
  <p class="govuk-body waiting" role="status">
    Asking the hub…
  </p>
);

/** `children` say what to do: widen the filter, start something, or that nothing is the good case. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="govuk-inset-text">
    <p class="govuk-body govuk-!-font-weight-bold">{title}</p>
    {children && <div class="govuk-body">{children}</div>}
  </div>
);

export const Failure = ({ fault, again }: { fault: Fault; again?: () => void }) => (
  <div class="govuk-error-summary" role="alert">
    <h2 class="govuk-error-summary__title">{fault.text}</h2>
    <div class="govuk-error-summary__body">
      <p>{fault.advice}</p>
      {fault.fields.length > 0 && (
        <ul class="govuk-list govuk-list--bullet">
          {fault.fields.map(({ path, problem }) => (
            <li key={path}>
              <code>{path}</code>: {problem}
            </li>
          ))}
        </ul>
      )}
      {(fault.reason || fault.callId) && (
        <p class="govuk-body-s quiet">
          {fault.reason && <code>{fault.reason}</code>} {fault.callId && <>call <code>{fault.callId}</code></>}
        </p>
      )}
      {again && (
        <button type="button" class="govuk-button govuk-button--secondary small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  </div>
);

/** The answer once it is there; before that what is going on; a stale one with the fault above it. */
export function Answered<T>({ answer, children }: { answer: Answer<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {answer.fault && <Failure fault={answer.fault} again={answer.again} />}
      {answer.value === undefined ? !answer.fault && <Waiting /> : children(answer.value)}
    </>
  );
}
