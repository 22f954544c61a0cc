/** A box that narrows what is shown while one types; `/` goes there from anywhere on the page. */

import { useEffect, useId, useRef } from "preact/hooks";

interface FilterBoxProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly hint?: string;
}

export function FilterBox({ label, value, change, hint }: FilterBoxProps) {
  const id = useId();
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.closest("input, textarea, select, dialog");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return (
    <div class="govuk-form-group filter">
      <label class="govuk-label" for={id}>
        {label} <kbd aria-hidden="true">/</kbd>
      </label>
      {hint && <div class="govuk-hint" id={`${id}-hint`}>{hint}</div>}
      <input
        class="govuk-input"
        id={id}
        ref={box}
        type="search"
        autocomplete="off"
        spellcheck={false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        value={value}
        onInput={(event) => change(event.currentTarget.value)}
      />
    </div>
  );
}

/** True where every word typed occurs in one of the texts, whatever the case. */
export function matches(typed: string, ...texts: readonly string[]): boolean {
  const all = texts.join("\n").toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}
