/** Messages that a search found: each a link, with the record of its acceptance beside it. */

import type { FoundMessage } from "@gen/metip/exchange/v1/finding_pb";
import { type Column, Table } from "@/parts/table";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { plural, shortName } from "@/words/formatting";

const COLUMNS: readonly Column<FoundMessage>[] = [
  { head: "Message", cell: ({ messageId }) => <a class="govuk-link" href={addressOf("messages", messageId)}><code>{messageId}</code></a> },
  { head: "Operation", cell: ({ operation }) => shortName(operation), order: ({ operation }) => operation },
  { head: "Accepted", cell: ({ accepted }) => <Time at={accepted} />, order: ({ accepted }) => accepted?.seconds ?? 0n },
  { head: "Producer", cell: ({ producer }) => producer.replace(/^spiffe:\/\/[^/]+\//, "") },
  { head: "Record", cell: ({ record, callId }) => callId && <a class="govuk-link" href={addressOf("ledger", String(record))}>record {String(record)}</a> },
];

interface FoundProps {
  readonly messages: readonly FoundMessage[];
  readonly more: string;
  readonly next: (token: string) => unknown;
}

export function Found({ messages, more, next }: FoundProps) {
  const once = [...new Map(messages.map((one) => [one.messageId, one])).values()];
  return (
    <>
      <p class="govuk-body quiet" role="status">
        {plural(once.length, "message")} found{more && "; there may be more"}.
      </p>
      <Table caption="Messages that were found" columns={COLUMNS} rows={once} name={({ messageId }) => messageId} />
      {more && (
        <button type="button" class="govuk-button govuk-button--secondary small" onClick={() => next(more)}>
          Look further back
        </button>
      )}
    </>
  );
}
