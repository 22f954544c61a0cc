/** Steps that wait for their time, each of which may be called off. */

import { MigrationService, type ScheduledStep } from "@gen/metip/migration/v1/migration_service_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { Time } from "@/parts/time";
import { mayAct } from "@/session";
import { shortName } from "@/words/formatting";
import { positionWords } from "./positions";

export function Scheduled({ steps, again }: { steps: readonly ScheduledStep[]; again: () => void }) {
  const [chosen, setChosen] = useState<ScheduledStep>();
  if (steps.length === 0) return null;
  return (
    <>
      <h2 class="govuk-heading-m" id="scheduled">Steps that wait for their time</h2>
      <ul class="govuk-list govuk-list--bullet">
        {steps.map((one) => (
          <li key={String(one.number)}>
            {shortName(one.step?.interface ?? "")} to {positionWords(one.step?.to)}, <Time at={one.at} />, asked for by {one.author}
            {one.problem && <>: not taken, {one.problem}</>}{" "}
            <button type="button" class="govuk-button govuk-button--secondary small" disabled={!mayAct()} onClick={() => setChosen(one)}>
              Call off <span class="govuk-visually-hidden">step {String(one.number)}</span>
            </button>
          </li>
        ))}
      </ul>
      {chosen && (
        <Act
          title={`Call off step ${chosen.number}?`}
          verb="Call off"
          close={() => setChosen(undefined)}
          act={async ({ reason }) => {
            await client(MigrationService).cancelStep({ number: chosen.number, because: reason });
            again();
          }}
        >
          <p class="govuk-body">{shortName(chosen.step?.interface ?? "")} stays where it stands.</p>
        </Act>
      )}
    </>
  );
}
