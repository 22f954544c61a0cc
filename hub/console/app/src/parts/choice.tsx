/** One of a few: a labelled select. */

import { useId } from "preact/hooks";

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, words: string])[];
  readonly change: (value: T) => void;
}

export function Choice<T extends string>({ label, value, options, change }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="govuk-form-group filter">
      <label class="govuk-label" for={id}>{label}</label>
      <select class="govuk-select" id={id} value={value} onChange={(event) => change(event.currentTarget.value as T)}>
        {options.map(([one, words]) => (
          <option key={one} value={one}>{words}</option>
        ))}
      </select>
    </div>
  );
}
