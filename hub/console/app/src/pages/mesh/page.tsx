/** Mesh: is every Envoy in step with the hub, what was changed by whom, what was refused and why, what runs out. */

import { MeshService } from "@gen/metip/hub/v1/mesh_service_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Page } from "@/parts/page";
import { Answered } from "@/parts/states";
import { AccessPolicy } from "./access";
import { Certificates, ReviewsDue } from "./certificates";
import { Changes } from "./changes";
import { Instances } from "./instances";
import { Sync } from "./sync";

const EVERY_MS = 4_000;
const CHANGES = 500;

export function MeshPage({ name }: { readonly name: string }) {
  const mesh = useAnswer((options) => client(MeshService).getMesh({}, options), [], EVERY_MS);
  const changes = useAnswer((options) => client(MeshService).listChanges({ limit: CHANGES }, options), [], EVERY_MS);
  return (
    <Page title="Mesh">
      <Answered answer={mesh}>{(state) => <Sync mesh={state} changes={changes.value?.changes ?? []} />}</Answered>
      <h2 class="govuk-heading-m" id="changes">Changes of configuration</h2>
      <Answered answer={changes}>{({ changes: list }) => <Changes changes={list} shown={name} />}</Answered>
      {mesh.value && (
        <>
          <Certificates certificates={mesh.value.certificates} />
          <ReviewsDue reviews={mesh.value.reviewsDue} />
          <AccessPolicy access={mesh.value.access} />
          <Instances instances={mesh.value.instances} />
        </>
      )}
    </Page>
  );
}
