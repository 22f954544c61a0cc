/** A replay in steps: a dry run that fixes the set and replays nothing, a confirmation that names the count, and what came of it. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { ExchangeService, type PlanReplayResponse, type ReplayResponse } from "@gen/metip/exchange/v1/exchange_service_pb";
import type { DeliveryFilterSchema } from "@gen/metip/exchange/v1/message_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { Confirm } from "@/parts/confirm";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { accessOf, useWhy } from "@/why";
import { deliveries, inWords, total } from "./states";

interface ReplayProps {
  readonly filter: MessageInitShape<typeof DeliveryFilterSchema>;
  readonly close: () => void;
  readonly done: () => void;
}

export function Replay({ filter, close, done }: ReplayProps) {
  const [plan, setPlan] = useState<PlanReplayResponse>();
  const [outcome, setOutcome] = useState<ReplayResponse>();
  const carriedOut = (told: ReplayResponse) => {
    setOutcome(told);
    done();
  };
  if (outcome) return <Outcome outcome={outcome} close={close} />;
  if (plan && total(plan.counts) === 0) return <Nothing close={close} />;
  if (plan) return plan.needsApproval ? <Approval plan={plan} close={close} /> : <Planned plan={plan} close={close} carriedOut={carriedOut} />;
  return (
    <Act
      title="Dry run of a replay"
      verb="Run it dry"
      close={close}
      act={async (why) => {
        setPlan(await client(ExchangeService).planReplay({ access: accessOf(why), filter }));
        return false;
      }}
    >
      <p class="govuk-body">
        It fixes the deliveries that the filter finds now, says how many they are, and replays nothing. What is accepted or parked later does not
        come into the set.
      </p>
    </Act>
  );
}

interface PlannedProps {
  readonly plan: PlanReplayResponse;
  readonly close: () => void;
  readonly carriedOut: (told: ReplayResponse) => void;
}

function Planned({ plan, close, carriedOut }: PlannedProps) {
  const [why] = useWhy();
  const number = deliveries(total(plan.counts));
  return (
    <Confirm
      title={`Replay ${number}?`}
      verb={`Replay ${number}`}
      dangerous
      close={close}
      act={async () => {
        carriedOut(await client(ExchangeService).replay({ access: accessOf(why), planId: plan.planId }));
        return false;
      }}
    >
      <p class="govuk-body">
        The dry run found {inWords(plan.counts)}. Nothing was replayed yet. What waits is released; what was delivered is delivered once more.
      </p>
      <p class="govuk-body">The set can be replayed until <Time at={plan.expires} full />.</p>
    </Confirm>
  );
}

function Approval({ plan, close }: { plan: PlanReplayResponse; close: () => void }) {
  const address = addressOf("messages", `plan/${plan.planId}`);
  return (
    <Confirm title={`${deliveries(total(plan.counts))}: a second person must approve`} verb="Close" close={close} act={async () => {}}>
      <p class="govuk-body">
        Among {inWords(plan.counts)} are writes that are not idempotent. Somebody else opens{" "}
        <a class="govuk-link" href={address}><code>{address}</code></a> and approves the plan; then it can be carried out there, until{" "}
        <Time at={plan.expires} full />.
      </p>
    </Confirm>
  );
}

const Nothing = ({ close }: { close: () => void }) => (
  <Confirm title="There is nothing to replay" verb="Close" close={close} act={async () => {}}>
    <p class="govuk-body">The filter finds no delivery now: somebody may have released them meanwhile.</p>
  </Confirm>
);

export const Outcome = ({ outcome, close }: { outcome: ReplayResponse; close: () => void }) => (
  <Confirm title={`${deliveries(outcome.replayed)} begun anew`} verb="Close" close={close} act={async () => {}}>
    <p class="govuk-body">
      {outcome.left > 0 && `${deliveries(outcome.left)} left, since they are under way anyhow. `}
      Each keeps its idempotency key, so that a far system that has done it does nothing.
    </p>
  </Confirm>
);
