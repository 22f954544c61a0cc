/** The interfaces in rows. */

import type { InterfaceSummary } from "@gen/metip/hub/v1/catalogue_service_pb";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { addressOf } from "@/route";
import { count, shortName } from "@/words/formatting";

const COLUMNS: readonly Column<InterfaceSummary>[] = [
  {
    head: "Interface",
    cell: ({ name }) => <a class="govuk-link" href={addressOf("interfaces", name)} title={name}>{shortName(name)}</a>,
    order: ({ name }) => shortName(name),
  },
  { head: "System", cell: ({ system }) => system, order: ({ system }) => system },
  { head: "Owner", cell: ({ owner }) => owner, order: ({ owner }) => owner },
  { head: "Classification", cell: ({ classification }) => classification, order: ({ classification }) => classification },
  { head: "Operations", numeric: true, cell: ({ operations }) => count(operations.length), order: ({ operations }) => operations.length },
  {
    head: "Served by",
    cell: ({ instances, backEnds }) => (
      <>
        <Tag tone={instances > 0 ? "good" : "bad"}>{instances > 0 ? count(instances) : "nobody"}</Tag>{" "}
        {backEnds.length > 1 && backEnds.map(({ system }) => system).join(" and ")}
      </>
    ),
    order: ({ instances }) => instances,
  },
  { head: "Impact assessment", cell: ({ dpia, dpiaReviewBy }) => `${dpia}, review by ${dpiaReviewBy}`, order: ({ dpiaReviewBy }) => dpiaReviewBy },
];

export const InterfaceList = ({ interfaces }: { interfaces: readonly InterfaceSummary[] }) => (
  <Table caption="Interfaces" columns={COLUMNS} rows={interfaces} name={({ name }) => name} shown={100} />
);
