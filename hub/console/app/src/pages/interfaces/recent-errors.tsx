/** Calls of the interface that failed or were refused, as they end; each leads to its whole story. */

import { EstateService, type WatchCallsResponse } from "@gen/metip/estate/v1/estate_service_pb";
import { CallReach, type SeenCall } from "@gen/metip/estate/v1/seen_call_pb";
import { client } from "@/calls";
import { useStream } from "@/live";
import { Answered, Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { enumWord, milliseconds, plural } from "@/words/formatting";

const KEPT = 50;

interface Seen {
  readonly calls: readonly SeenCall[];
  readonly dropped: bigint;
}

export const seen = (was: Seen | undefined, { calls, dropped }: WatchCallsResponse): Seen => ({
  calls: [...calls.toReversed(), ...(was?.calls ?? [])].slice(0, KEPT),
  dropped: (was?.dropped ?? 0n) + dropped,
});

export function RecentErrors({ name }: { name: string }) {
  const answer = useStream((options) => client(EstateService).watchCalls({ operations: [`${name}/`], onlyErrors: true }, options), seen, [name]);
  return (
    <>
      <h2 class="govuk-heading-m" id="errors">Errors as they happen</h2>
      <Answered answer={answer}>
        {({ calls, dropped }) =>
          calls.length === 0 ? (
            <Empty title="No call failed since this page was opened.">Counts by reason of the time before are in the estate.</Empty>
          ) : (
            <>
              <Table caption="Calls that failed" columns={COLUMNS} rows={calls} name={(call) => call.callId + call.reason} />
              {dropped > 0n && <p class="govuk-body quiet">{plural(dropped, "call")} came too fast to be shown.</p>}
            </>
          )
        }
      </Answered>
    </>
  );
}

const COLUMNS: readonly Column<SeenCall>[] = [
  { head: "When", cell: ({ at }) => <Time at={at} /> },
  { head: "Operation", cell: ({ operation }) => operation.replace(/^.*\//, "") },
  { head: "Reason", cell: ({ reason }) => <Tag tone="bad">{reason}</Tag> },
  { head: "Consumer", cell: ({ consumer }) => <code>{consumer || "no certificate"}</code> },
  { head: "Came as far as", cell: ({ reached, system }) => `${enumWord(CallReach[reached], "CALL_REACH")}${system && `, ${system}`}` },
  { head: "Took", numeric: true, cell: (call) => milliseconds(call.milliseconds) },
  { head: "Call", cell: ({ callId }) => <a class="govuk-link" href={addressOf("messages", callId)}>{callId}</a> },
];
