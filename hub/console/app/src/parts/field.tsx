/** One labelled field of a form: a line, an area, an instant. */

import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly hint?: string;
  readonly kind?: "text" | "area" | "datetime-local" | "number";
  readonly required?: boolean;
  readonly shortest?: number;
  readonly longest?: number;
}

export function Field({ label, value, change, hint, kind = "text", required = false, shortest, longest }: FieldProps) {
  const id = useId();
  const shared = { id, required, minLength: shortest, maxLength: longest, value, "aria-describedby": hint ? `${id}-hint` : undefined };
  return (
    <div class="govuk-form-group filter">
      <label class="govuk-label" for={id}>{label}</label>
      {hint && <div class="govuk-hint" id={`${id}-hint`}>{hint}</div>}
      {kind === "area" ? (
        <textarea class="govuk-textarea" rows={3} {...shared} onInput={(event) => change(event.currentTarget.value)} />
      ) : (
        <input class="govuk-input" type={kind as "text"} autocomplete="off" spellcheck={false} {...shared} onInput={(event) => change(event.currentTarget.value)} />
      )}
    </div>
  );
}

/** A filter's instant, `2026-11-23T10:15` as the browser's own field has it, as a timestamp; undefined where it is none. */
export function timestampOf(local: string): { seconds: bigint; nanos: number } | undefined {
  const at = local ? Date.parse(local) : Number.NaN;
  return Number.isNaN(at) ? undefined : { seconds: BigInt(Math.floor(at / 1000)), nanos: (at % 1000) * 1_000_000 };
}
