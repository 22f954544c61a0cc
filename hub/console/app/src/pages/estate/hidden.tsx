/** Says what the map leaves out, and how to see it: nothing is ever left out in silence. */

import type { Drawing } from "./grouping";
import { plural } from "@/words/formatting";

export function Hidden({ drawing: { grouped, hidden }, system, all }: { drawing: Drawing; system: string; all: string }) {
  const left = [
    [hidden.interfaces, grouped ? "group" : "interface"],
    [hidden.callers, "consumer"],
    [hidden.systems, "system"],
    [hidden.wires, "connection"],
  ] as const;
  const words = left.flatMap(([number, word]) => (number > 0 ? [plural(number, word)] : []));
  if (!grouped && words.length === 0 && !system) return null;
  return (
    <p class="govuk-body" role="status">
      {system && <>Only interfaces of <strong>{system}</strong>. <a class="govuk-link" href={all}>Show those of all systems</a>. </>}
      {grouped > 0 && `${grouped} interfaces are drawn together by the system that owns them, since they are well and don't move; choose one to see them singly. `}
      {words.length > 0 && `Not drawn, being the quietest without trouble: ${words.join(", ")}. Filter to see them, or take the table.`}
    </p>
  );
}
