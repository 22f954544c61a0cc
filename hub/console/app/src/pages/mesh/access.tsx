/** The access policy in force: which file it is, who signed it, and whether a newer one waits. */

import type { AccessState } from "@gen/metip/hub/v1/mesh_service_pb";
import { Facts } from "@/parts/facts";
import { Empty } from "@/parts/states";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { count } from "@/words/formatting";

export const AccessPolicy = ({ access }: { access: AccessState | undefined }) => (
  <>
    <h2 class="govuk-heading-m" id="access">Access policy</h2>
    {!access?.digest ? (
      <Empty title="No access policy is in force: nobody may do anything.">Write one and, where approval is required, have it approved: <code>metip access --help</code>.</Empty>
    ) : (
      <Facts
        facts={[
          ["In force", <Standing key="s" access={access} />],
          ["Since", <Time key="t" at={access.since} full />],
          ["Digest", <code key="d">{access.digest}</code>],
          ["Signed", access.approvalRequired ? `by ${access.author}, approved by ${access.approver} (number ${count(access.number)})` : "no approval is required here"],
          ["Grants", `${access.policy?.grants.length ?? 0}, of which ${access.idle.length} grant nothing`],
        ]}
      />
    )}
  </>
);

function Standing({ access }: { access: AccessState }) {
  if (access.waiting.length === 0) return <Tag tone="good">as in the file</Tag>;
  return (
    <>
      <Tag tone="warn">a changed file waits</Tag>
      <ul class="govuk-list govuk-list--bullet">
        {access.waiting.map((why) => (
          <li key={why}>{why}</li>
        ))}
      </ul>
    </>
  );
}
