/** The state of the ledger: size, signatures, journals, and the one number of its reconciliation with Envoy's log. */

import { type GetStatusResponse, type JournalStatus, LedgerService } from "@gen/metip/ledger/v1/ledger_service_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Figures } from "@/parts/facts";
import { Answered, Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { count, shortName, span } from "@/words/formatting";
import { reconciled, whole, witnessed } from "./words";

const EVERY_MS = 5_000;

export function Status() {
  const answer = useAnswer((options) => client(LedgerService).getStatus({}, options), [], EVERY_MS);
  return <Answered answer={answer}>{(status) => <Shown status={status} />}</Answered>;
}

function Shown({ status }: { status: GetStatusResponse }) {
  const [agrees, seen, follows] = [reconciled(status), witnessed(status), whole(status)];
  const missing = status.reconciliation?.missingCalls ?? [];
  return (
    <>
      <Figures
        figures={[
          ["Records", count(status.size)],
          ["Reconciliation with Envoy", <Tag key="r" tone={agrees.tone}>{agrees.word}</Tag>],
          ["Witness", <Tag key="w" tone={seen.tone}>{seen.word}</Tag>],
          ["Journals", <Tag key="j" tone={follows.tone}>{follows.word}</Tag>],
          ["Not opened", count(status.unopened)],
          ["Erased", count(status.erased)],
        ]}
      />
      {missing.length > 0 && (
        <Empty title="These calls were answered and have no record. Somebody must find out why.">
          <ul class="govuk-list govuk-list--bullet">
            {missing.map(({ callId, at, operation }) => (
              <li key={callId}>
                <code>{callId}</code> {shortName(operation)}, <Time at={at} />
              </li>
            ))}
          </ul>
        </Empty>
      )}
      <details class="govuk-details">
        <summary class="govuk-details__summary"><span class="govuk-details__summary-text">Journals and signatures</span></summary>
        <div class="govuk-details__text">
          <Table caption="Journals" columns={COLUMNS} rows={status.journals} name={({ name }) => name} />
          <p class="govuk-body">
            The checkpoint below is the ledger's signed word. Check it, and any record, where nothing of this hub runs: <code>metip ledger export</code>,
            then <code>metip ledger verify</code>.
          </p>
          <pre class="content" tabIndex={0} aria-label="Checkpoint">{status.cosigned || status.checkpoint || "no checkpoint yet"}</pre>
        </div>
      </details>
    </>
  );
}

const COLUMNS: readonly Column<JournalStatus>[] = [
  { head: "Journal", cell: ({ name }) => <code>{name}</code>, order: ({ name }) => name },
  { head: "Gathered", numeric: true, cell: ({ position }) => count(position), order: ({ position }) => position },
  { head: "Waits", cell: ({ lagSeconds }) => (lagSeconds > 0 ? span(lagSeconds) : "nothing"), order: ({ lagSeconds }) => lagSeconds },
  { head: "Gap", cell: ({ gap, gapPosition }) => (gap ? <Tag tone="bad">{`${gap} at ${gapPosition}`}</Tag> : "none"), order: ({ gap }) => gap },
  { head: "Last record", cell: ({ lastRecord }) => <Time at={lastRecord} />, order: ({ lastRecord }) => lastRecord?.seconds ?? 0n },
];
