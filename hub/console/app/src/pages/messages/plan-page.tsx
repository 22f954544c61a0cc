/** A planned replay that a second person approves, and that is carried out once that was done. */

import { ExchangeService, type ReplayResponse } from "@gen/metip/exchange/v1/exchange_service_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { Page } from "@/parts/page";
import { mayAct } from "@/session";
import { accessOf } from "@/why";
import { Outcome } from "./replay";

export function PlanPage({ id }: { id: string }) {
  const [doing, setDoing] = useState<"approve" | "carry-out">();
  const [approved, setApproved] = useState(false);
  const [outcome, setOutcome] = useState<ReplayResponse>();
  const close = () => setDoing(undefined);
  return (
    <Page title="A planned replay" above={<a class="govuk-link" href="/messages">Messages</a>}>
      <p class="govuk-body">
        Plan <code>{id}</code>. Whoever planned it can't approve it. A plan lasts an hour, and its set of deliveries stays as it was planned.
      </p>
      {approved && <p class="govuk-body" role="status">You approved it. It can be carried out now.</p>}
      <div class="govuk-button-group">
        <button type="button" class="govuk-button" disabled={!mayAct()} onClick={() => setDoing("approve")}>Approve…</button>
        <button type="button" class="govuk-button govuk-button--warning" disabled={!mayAct()} onClick={() => setDoing("carry-out")}>Carry out…</button>
      </div>
      {doing === "approve" && (
        <Act
          title="Approve this replay?"
          verb="Approve"
          close={close}
          act={async (why) => {
            await client(ExchangeService).approveReplay({ access: accessOf(why), planId: id });
            setApproved(true);
          }}
        >
          <p class="govuk-body">Its writes may be made a second time. You say that this is right, and your name is kept with it.</p>
        </Act>
      )}
      {doing === "carry-out" && (
        <Act
          title="Carry out this replay?"
          verb="Replay"
          dangerous
          close={close}
          act={async (why) => setOutcome(await client(ExchangeService).replay({ access: accessOf(why), planId: id }))}
        >
          <p class="govuk-body">Every delivery of the plan that is not under way is begun anew. It is done once, however often it is asked.</p>
        </Act>
      )}
      {outcome && <Outcome outcome={outcome} close={() => setOutcome(undefined)} />}
    </Page>
  );
}
