/** Says why one looks; it is asked once for a tab, shown where it goes along, and recorded with what is asked. */

import { LONGEST, SHORTEST, useWhy } from "@/why";
import { Field } from "./field";

interface WhyBoxProps {
  readonly demanded?: boolean;
  /** Whether an incident, request or case must be named too. */
  readonly reference?: boolean;
}

export function WhyBox({ demanded = false, reference = false }: WhyBoxProps) {
  const [why, setWhy] = useWhy();
  return (
    <>
      <Field
        label="Why do you look?"
        hint="It is recorded with your name."
        value={why.reason}
        change={(reason) => setWhy({ ...why, reason })}
        required={demanded}
        shortest={SHORTEST}
        longest={LONGEST}
      />
      <Field
        label="Reference"
        hint="The incident, request or case."
        value={why.reference}
        change={(value) => setWhy({ ...why, reference: value })}
        required={reference}
        longest={50}
      />
    </>
  );
}
