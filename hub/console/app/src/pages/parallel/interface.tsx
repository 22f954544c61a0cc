/** One interface between the platforms: state, next step with its guards, agreement field by field, history; move it, step it back. */

import { type InterfaceState, MigrationService } from "@gen/metip/migration/v1/migration_service_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Figures } from "@/parts/facts";
import { Page } from "@/parts/page";
import { Answered, Empty } from "@/parts/states";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { count, milliseconds, shortName } from "@/words/formatting";
import { Fields } from "./fields";
import { Guards } from "./guards";
import { History } from "./history";
import { Moves } from "./moves";
import { parityWords, positionWords, STATES, WAY } from "./positions";

const EVERY_MS = 4_000;

export function Interface({ name }: { name: string }) {
  const answer = useAnswer((options) => client(MigrationService).listStates({ interface: name }, options), [name], EVERY_MS);
  return (
    <Page title={shortName(name)} above={<a class="govuk-link" href="/parallel">Parallel running</a>}>
      <Answered answer={answer}>
        {({ interfaces, approvalRequired }) =>
          interfaces.map((one) => <Standing key={one.interface} one={one} signed={approvalRequired} again={answer.again} />)
        }
      </Answered>
      <Fields name={name} />
      <History name={name} />
    </Page>
  );
}

function Standing({ one, signed, again }: { one: InterfaceState; signed: boolean; again: () => void }) {
  const { position, figures, oldPlatform, newPlatform } = { ...one, oldPlatform: one.figures?.oldPlatform, newPlatform: one.figures?.newPlatform };
  return (
    <>
      <Way state={one} />
      <p class="govuk-body">
        {STATES[position?.state ?? 0].meaning} Since <Time at={one.since} full />
        {one.until && <>; steps back to {positionWords(one.untilPosition)} <Time at={one.until} /></>}.{" "}
        {one.watched && "A breach leads it back by itself. "}
        <a class="govuk-link" href={addressOf("interfaces", one.interface)}>Contract and routes</a>
      </p>
      <Figures
        figures={[
          ["Agreement", figures ? parityWords(figures.compared, figures.parity, figures.lower) : "–"],
          ["Compared", count(figures?.compared ?? 0n)],
          ["Differ", count(figures?.differing ?? 0n)],
          ["Old platform", oldPlatform ? `${count(oldPlatform.calls)} calls, ${count(oldPlatform.errors)} failed, ${milliseconds(oldPlatform.p99Ms)}` : "–"],
          ["New platform", newPlatform ? `${count(newPlatform.calls)} calls, ${count(newPlatform.errors)} failed, ${milliseconds(newPlatform.p99Ms)}` : "–"],
        ]}
      />
      {one.deviations.length > 0 && <Listed title="The calls themselves differ from the state" lines={one.deviations} />}
      {one.notes.length > 0 && <Listed title="Whoever moves it must know" lines={one.notes} />}
      <Moves one={one} signed={signed} again={again} />
      <Guards next={one.next} guards={one.guards} />
    </>
  );
}

const Way = ({ state: { position } }: { state: InterfaceState }) => (
  <ol class="way" aria-label="The way from the old platform to the new one">
    {WAY.map((state) => (
      <li key={state} aria-current={state === position?.state ? "step" : undefined}>
        {state === position?.state ? positionWords(position) : STATES[state].word}
      </li>
    ))}
  </ol>
);

const Listed = ({ title, lines }: { title: string; lines: readonly string[] }) => (
  <Empty title={title}>
    <ul class="govuk-list govuk-list--bullet">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  </Empty>
);
