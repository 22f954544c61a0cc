/** Every Envoy that takes its configuration from the hub: what it has acknowledged, what it refused last. */

import type { Change, ConnectedEnvoy, GetMeshResponse } from "@gen/metip/hub/v1/mesh_service_pb";
import { Figures } from "@/parts/facts";
import { Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { envoyState, refused } from "./standing";

export function Sync({ mesh, changes }: { mesh: GetMeshResponse; changes: readonly Change[] }) {
  const bad = changes.filter(refused);
  return (
    <>
      <Figures
        figures={[
          ["Envoys connected", mesh.envoys.length],
          ["Configuration in force", <code key="v">{mesh.snapshot.slice(0, 12) || "–"}</code>],
          ["Instances", mesh.instances.length],
          ["Changes refused", bad.length === 0 ? "none" : <a class="govuk-link" href="/mesh?outcome=refused">{bad.length}</a>],
          ["Hub started", <Time key="t" at={mesh.started} />],
        ]}
      />
      {mesh.envoys.length === 0 ? (
        <Empty title="No Envoy is connected.">
          Traffic goes on with the configuration that each Envoy holds, but no change reaches it. See <code>metip check</code>.
        </Empty>
      ) : (
        <Table caption="Envoys" columns={COLUMNS} rows={mesh.envoys} name={(envoy) => envoy.node} />
      )}
    </>
  );
}

const COLUMNS: readonly Column<ConnectedEnvoy>[] = [
  { head: "Envoy", cell: ({ node }) => <code>{node}</code>, order: ({ node }) => node },
  { head: "State", cell: (envoy) => <State envoy={envoy} /> },
  { head: "Acknowledged", cell: ({ accepted }) => <Accepted accepted={accepted} /> },
  { head: "Latest refusal since it connected", cell: ({ lastRefusal }) => (lastRefusal ? <code>{lastRefusal}</code> : "none") },
  { head: "Protocol", cell: ({ protocol }) => protocol },
  { head: "Connected", cell: ({ since }) => <Time at={since} /> },
];

function State({ envoy }: { envoy: ConnectedEnvoy }) {
  const { word, tone } = envoyState(envoy);
  return <Tag tone={tone}>{word}</Tag>;
}

/** By type, since each type has a version of its own. */
function Accepted({ accepted }: { accepted: Readonly<Record<string, string>> }) {
  const kinds = Object.entries(accepted).toSorted(([one], [other]) => one.localeCompare(other, "en-GB"));
  if (kinds.length === 0) return <>nothing yet</>;
  return (
    <>
      {kinds.map(([kind, version]) => (
        <span class="pair" key={kind} title={version}>
          {kind} <code>{version.slice(0, 7)}</code>
        </span>
      ))}
    </>
  );
}
