/** The adapters' processes whose lease runs: who serves what, and where. */

import type { Instance } from "@gen/metip/hub/v1/registry_service_pb";
import { Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { addressOf } from "@/route";
import { shortName } from "@/words/formatting";

export const Instances = ({ instances }: { instances: readonly Instance[] }) => (
  <>
    <h2 class="govuk-heading-m" id="instances">Instances</h2>
    {instances.length === 0 ? (
      <Empty title="No adapter is registered.">Start one, or see why it can't reach the hub: <code>metip check</code>.</Empty>
    ) : (
      <Table caption="Instances" columns={COLUMNS} rows={instances} name={(one) => one.id} />
    )}
  </>
);

const COLUMNS: readonly Column<Instance>[] = [
  { head: "System", cell: ({ system }) => system, order: ({ system }) => system },
  { head: "Instance", cell: ({ id }) => <code>{id}</code>, order: ({ id }) => id },
  {
    head: "Serves",
    cell: ({ interfaces }) =>
      interfaces.length === 0
        ? "nothing; it only publishes"
        : interfaces.map((one, place) => (
            <span key={one}>
              {place > 0 && ", "}
              <a class="govuk-link" href={addressOf("interfaces", one)} title={one}>{shortName(one)}</a>
            </span>
          )),
  },
  { head: "Address", cell: ({ address }) => <code>{address}</code> },
  { head: "Version", cell: ({ version }) => version || "–" },
];
