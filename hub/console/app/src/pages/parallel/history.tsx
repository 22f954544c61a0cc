/** Every step of an interface, the latest first, with who took it, why, and the evidence of the time. */

import { MigrationService } from "@gen/metip/migration/v1/migration_service_pb";
import type { Step } from "@gen/metip/migration/v1/step_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Answered, Empty } from "@/parts/states";
import { Tag } from "@/parts/tag";
import { Timeline } from "@/parts/timeline";
import { parityWords, stepWords, wentWrong } from "./positions";

const EVERY_MS = 4_000;

export function History({ name }: { name: string }) {
  const answer = useAnswer((options) => client(MigrationService).listSteps({ interface: name }, options), [name], EVERY_MS);
  return (
    <section aria-labelledby="history">
      <h2 class="govuk-heading-m" id="history">History</h2>
      <Answered answer={answer}>
        {({ steps }) =>
          steps.length === 0 ? (
            <Empty title="Nobody has moved it yet." />
          ) : (
            <Timeline
              label="Steps, the latest first"
              moments={steps.map((step) => ({ id: `step-${step.number}`, at: step.at, title: <Title step={step} name={name} />, body: <Evidence step={step} name={name} /> }))}
            />
          )
        }
      </Answered>
    </section>
  );
}

const Title = ({ step, name }: { step: Step; name: string }) => (
  <>
    <strong>{stepWords(step, name)}</strong> {wentWrong(step) && <Tag tone="bad">look</Tag>} by {step.author}
    {step.approver && `, approved by ${step.approver}${step.signed ? " (both signed)" : ""}`}
  </>
);

function Evidence({ step, name }: { step: Step; name: string }) {
  const figures = step.moves.find((move) => move.interface === name)?.figures;
  return (
    <p class="govuk-body">
      {step.because}
      {step.problem && <> <strong>{step.problem}</strong></>}
      {step.attested && <> Attested: <code>{step.attested}</code></>}
      {figures && <span class="quiet"> {parityWords(figures.compared, figures.parity, figures.lower)}</span>}
    </p>
  );
}
