/** Confirms an act that is recorded with a reason: the reason is typed in the dialog, and the one of the tab stands there already. */

import type { ComponentChildren } from "preact";
import { LONGEST, SHORTEST, useWhy, type Why } from "@/why";
import { Confirm } from "./confirm";
import { Field } from "./field";

interface ActProps {
  readonly title: string;
  readonly verb: string;
  readonly dangerous?: boolean;
  readonly act: (why: Why) => Promise<unknown>;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

export function Act({ act, children, ...others }: ActProps) {
  const [why, setWhy] = useWhy();
  return (
    <Confirm {...others} act={() => act(why)}>
      {children}
      <Field
        label="Why?"
        hint="It is kept with the decision, with your name. Name nobody."
        value={why.reason}
        change={(reason) => setWhy({ ...why, reason })}
        required
        shortest={SHORTEST}
        longest={LONGEST}
      />
    </Confirm>
  );
}
