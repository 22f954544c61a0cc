/** Asks before an act, in the browser's own modal dialog; what is typed in `children` belongs to the act. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type Fault, faultOf } from "@/words/faults";
import { Failure } from "./states";

interface ConfirmProps {
  readonly title: string;
  /** The words on the button that acts: a verb, such as "Step back". */
  readonly verb: string;
  readonly dangerous?: boolean;
  /** Acts; what it throws is shown in the dialog, which stays open then, and where it returns false because another step follows. */
  readonly act: () => Promise<unknown>;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

export function Confirm({ title, verb, dangerous = false, act, close, children }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [fault, setFault] = useState<Fault>();
  const [acting, setActing] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setActing(true);
    try {
      if ((await act()) === false) setActing(false);
      else close();
    } catch (error) {
      setFault(faultOf(error));
      setActing(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={close}>
      <form onSubmit={submit}>
        <h2 class="govuk-heading-m" id={heading}>{title}</h2>
        {fault && <Failure fault={fault} />}
        {children}
        <div class="govuk-button-group">
          <button type="submit" class={`govuk-button ${dangerous ? "govuk-button--warning" : ""}`} disabled={acting}>
            {verb}
          </button>
          <button type="button" class="govuk-button govuk-button--secondary" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
