/** Who may call an operation, by which grant, for what. */

import type { Permission } from "@gen/metip/hub/v1/catalogue_service_pb";
import { Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";

const COLUMNS: readonly Column<Permission>[] = [
  { head: "Consumer", cell: ({ consumer }) => <code>{consumer}</code>, order: ({ consumer }) => consumer },
  { head: "By grant", cell: ({ grant }) => grant, order: ({ grant }) => grant },
  { head: "For", cell: ({ purposes }) => purposes.join(", ") || "every purpose that the operation permits" },
  { head: "Roles", cell: ({ roles }) => roles.join(" or ") || "any" },
];

export const Permissions = ({ permissions }: { permissions: readonly Permission[] }) => (
  <>
    <h3 class="govuk-heading-s">Who may call it</h3>
    {permissions.length === 0 ? (
      <Empty title="Nobody may call it.">A grant of the access policy gives the right: <code>metip access --help</code>.</Empty>
    ) : (
      <Table caption="Who may call it" columns={COLUMNS} rows={permissions} name={(one) => [one.consumer, one.grant, ...one.purposes].join()} shown={10} />
    )}
  </>
);
