/** Where calls go: the systems behind the interface with their shares, and the endpoints of each operation. */

import type { BackEnd, OperationDetail } from "@gen/metip/hub/v1/catalogue_service_pb";
import { type Column, Table } from "@/parts/table";
import { Empty } from "@/parts/states";
import { percent } from "@/words/formatting";

export function Routes({ backEnds, operations }: { backEnds: readonly BackEnd[]; operations: readonly OperationDetail[] }) {
  const total = backEnds.reduce((sum, { weight }) => sum + weight, 0);
  const rows = backEnds.map((one) => ({ ...one, share: total > 0 ? one.weight / total : 0 }));
  const endpoints = [...new Set(operations.flatMap(({ explained }) => explained?.endpoints ?? []))];
  return (
    <>
      <h2 class="govuk-heading-m" id="routes">Routes</h2>
      {rows.length > 0 ? (
        <Table caption="Systems behind the interface" columns={COLUMNS} rows={rows} name={({ system }) => system} />
      ) : endpoints.length > 0 ? (
        <ul class="govuk-list">
          {endpoints.map((one) => (
            <li key={one}>
              <code>{one}</code>
            </li>
          ))}
        </ul>
      ) : (
        <Empty title="Nothing serves it now.">Calls are refused as UNAVAILABLE until an adapter registers.</Empty>
      )}
    </>
  );
}

const COLUMNS: readonly Column<BackEnd & { readonly share: number }>[] = [
  { head: "System", cell: ({ system }) => system },
  { head: "Share of calls", numeric: true, cell: ({ share }) => percent(share), order: ({ share }) => share },
  { head: "Envoy's cluster", cell: ({ cluster }) => <code>{cluster}</code> },
  { head: "Endpoints", cell: ({ endpoints }) => <code>{endpoints.join(", ") || "none"}</code> },
];
