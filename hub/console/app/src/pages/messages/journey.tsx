/** The whole journey that an id belongs to, across consumer, Envoy, adapter, exchange and far system, as one tree. */

import { JourneyService } from "@gen/metip/journey/v1/journey_service_pb";
import { type Journey as Told, type Step, StepState } from "@gen/metip/journey/v1/journey_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Page } from "@/parts/page";
import { Answered } from "@/parts/states";
import { Tag, type Tone } from "@/parts/tag";
import { Time } from "@/parts/time";
import { type Branch, Tree } from "@/parts/tree";
import { addressOf } from "@/route";
import { milliseconds } from "@/words/formatting";
import { type Nested, nested } from "./nesting";

const EVERY_MS = 5_000;

export const JourneyPage = ({ id }: { id: string }) => (
  <Page title="Journey" above={<a class="govuk-link" href="/messages">Messages</a>}>
    <p class="govuk-body">Everything that is known of <code>{id}</code>, from whoever began it to the far system.</p>
    <Journey id={id} />
  </Page>
);

export function Journey({ id }: { id: string }) {
  const answer = useAnswer((options) => client(JourneyService).getJourney({ id }, options), [id], EVERY_MS);
  return <Answered answer={answer}>{({ journey }) => (journey ? <Shown journey={journey} /> : null)}</Answered>;
}

function Shown({ journey }: { journey: Told }) {
  const silent = journey.sources.filter(({ problem }) => problem !== "").length;
  return (
    <>
      <Tree label="The whole journey" branches={nested(journey.steps).map(branchOf)} />
      <p class="govuk-body quiet" role="status">
        {journey.open ? "Something of it is still on its way." : "All of it is told."}
        {silent > 0 && ` ${silent} of its sources could not be read.`}
      </p>
    </>
  );
}

const TONES: Partial<Record<StepState, readonly [tone: Tone, word: string]>> = {
  [StepState.REFUSED]: ["bad", "refused"],
  [StepState.FAILED]: ["bad", "failed"],
  [StepState.WAITING]: ["busy", "waits"],
  [StepState.NEEDS_A_PERSON]: ["warn", "needs a person"],
  [StepState.MISSING]: ["warn", "missing"],
};

/** The link to a step's record stands beside a leaf, and below what opens and closes, which may hold no link. */
const branchOf = ({ step, steps }: Nested<Step>): Branch => {
  const id = `step-${step.stepId}`;
  if (steps.length === 0) return { id, label: <><Line step={step} /> <Proof step={step} /></> };
  return { id, label: <Line step={step} />, body: <Proof step={step} />, branches: steps.map(branchOf) };
};

const Proof = ({ step: { record } }: { step: Step }) =>
  record === undefined ? null : <a class="govuk-link" href={addressOf("ledger", String(record))}>record {String(record)}</a>;

function Line({ step }: { step: Step }) {
  const [tone, word] = TONES[step.state] ?? [];
  return (
    <>
      {step.line} {tone && <Tag tone={tone}>{word}</Tag>}{" "}
      <span class="quiet">
        <Time at={step.at} />
        {step.milliseconds !== undefined && `, ${milliseconds(step.milliseconds)}`}
      </span>
    </>
  );
}
