/** A message's story as a tree: request, policy, and for each subscription its attempts, the replies and the acknowledgement. */

import type { GetMessageResponse } from "@gen/metip/exchange/v1/exchange_service_pb";
import { type DeliveryState, type Step } from "@gen/metip/exchange/v1/message_pb";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import type { Branch } from "@/parts/tree";
import { milliseconds, plural, secondsOf } from "@/words/formatting";
import { subscriptionWords } from "./filter";
import { STATES, stepWords } from "./states";

export function story(found: GetMessageResponse): readonly Branch[] {
  const { message, steps } = found;
  if (!message) return [];
  const subscriptions = new Set([...message.deliveries.map((one) => one.subscription), ...steps.map((one) => one.subscription)]);
  const branches = [...subscriptions].map((name) =>
    delivery(
      name,
      message.deliveries.find((one) => one.subscription === name),
      steps.filter((one) => one.subscription === name),
    ),
  );
  const producer = message.producer.replace(/^spiffe:\/\/[^/]+\//, "");
  return [
    {
      id: "request",
      label: <>Request from {producer || "nobody that is named"}, accepted <Time at={message.accepted} /></>,
      branches: [{ id: "policy", label: policy(found, subscriptions.size), branches }],
    },
  ];
}

const policy = ({ contentType, contentBytes }: GetMessageResponse, subscriptions: number) => (
  <>
    Policy: {contentType ? `${contentType.replace(/^.*\./, "")}, ${contentBytes} bytes` : `${contentBytes} bytes`}, stored before it was acknowledged,
    for {subscriptions === 0 ? "nobody: no system subscribes to it" : plural(subscriptions, "subscription")}
  </>
);

function delivery(name: string, standing: DeliveryState | undefined, steps: readonly Step[]): Branch {
  const state = standing?.state ?? steps.at(-1)?.state ?? 0;
  return {
    id: `to-${name}`,
    label: (
      <>
        {subscriptionWords(name)} <Tag tone={STATES[state].tone}>{STATES[state].word}</Tag>{" "}
        {standing?.heldBack ? "held back by an earlier message of its key" : standing?.nextAttempt && <>next attempt <Time at={standing.nextAttempt} /></>}
      </>
    ),
    branches: steps.map((step, place) => ({ id: `${name}-${place}`, label: <StepLine step={step} /> })),
  };
}

function StepLine({ step }: { step: Step }) {
  const took = step.began && step.at ? (secondsOf(step.at) ?? 0) - (secondsOf(step.began) ?? 0) : undefined;
  return (
    <>
      <strong>{stepWords(step)}</strong>
      {step.reason && <> {/\s/.test(step.reason) ? `“${step.reason}”` : <code>{step.reason}</code>}</>}{" "}
      <span class="quiet">
        {took === undefined ? "" : `then ${STATES[step.state].word}, after ${milliseconds(took * 1000)}, `}
        <Time at={step.at} />
      </span>
    </>
  );
}
