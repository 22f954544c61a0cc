/** One field closer by: pairs that differed, as the hub masks them, and what was accepted of it. */

import type { Acceptance, Example } from "@gen/metip/parity/v1/verdict_pb";
import { ParityService } from "@gen/metip/parity/v1/parity_service_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Answered, Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Time } from "@/parts/time";

const COLUMNS: readonly Column<Example>[] = [
  { head: "When", cell: ({ at }) => <Time at={at} />, order: ({ at }) => at?.seconds ?? 0n },
  { head: "Primary", cell: ({ primary }) => <code>{primary || "nothing"}</code> },
  { head: "Other", cell: ({ shadow }) => <code>{shadow || "nothing"}</code> },
  { head: "Difference", cell: ({ kind, hint, detail }) => [kind.toLowerCase().replaceAll("_", " "), hint, detail].filter(Boolean).join(", ") },
  { head: "Came about", cell: ({ origin }) => origin.toLowerCase() },
  { head: "Call", cell: ({ callId }) => <code>{callId}</code> },
];

export function Examples({ operation, field }: { operation: string; field: string }) {
  const answer = useAnswer((options) => client(ParityService).getField({ operation, field }, options), [operation, field]);
  return (
    <section aria-labelledby="examples">
      <h3 class="govuk-heading-s" id="examples">Examples of <code>{field}</code>, masked</h3>
      <Answered answer={answer}>
        {({ examples, acceptances }) => (
          <>
            {examples.length === 0 ? (
              <Empty title="No example is kept.">The latest few of each field are; older ones are only counted.</Empty>
            ) : (
              <Table caption={`Examples of ${field}`} columns={COLUMNS} rows={examples.toReversed()} name={({ callId, at }) => `${callId} ${at?.nanos}`} />
            )}
            {acceptances.length > 0 && <Accepted acceptances={acceptances} />}
          </>
        )}
      </Answered>
    </section>
  );
}

const Accepted = ({ acceptances }: { acceptances: readonly Acceptance[] }) => (
  <ul class="govuk-list govuk-list--bullet">
    {acceptances.map((one) => (
      <li key={String(one.number)}>
        Accepted by {one.author}, <Time at={one.at} />: {one.because}{one.inForce ? "" : " (no longer in force)"}
      </li>
    ))}
  </ul>
);
