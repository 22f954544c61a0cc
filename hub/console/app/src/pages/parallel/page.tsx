/** Parallel running: where each interface stands between the old platform and the new one, and what proves its next step. */

import { ListStatesResponseSchema, type InterfaceState, MigrationService } from "@gen/metip/migration/v1/migration_service_pb";
import type { MessageShape } from "@bufbuild/protobuf";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { FilterBox, matches } from "@/parts/filter-box";
import { Page } from "@/parts/page";
import { Answered, Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf, useFilter } from "@/route";
import { count, shortName } from "@/words/formatting";
import { Interface } from "./interface";
import { parityWords, positionWords, STATES } from "./positions";
import { Scheduled } from "./scheduled";

const EVERY_MS = 4_000;

export function ParallelPage({ name }: { readonly name: string }) {
  return name ? <Interface name={name} /> : <Overview />;
}

function Overview() {
  const answer = useAnswer((options) => client(MigrationService).listStates({}, options), [], EVERY_MS);
  return (
    <Page title="Parallel running">
      <Answered answer={answer}>{(states) => <States states={states} again={answer.again} />}</Answered>
    </Page>
  );
}

function States({ states, again }: { states: MessageShape<typeof ListStatesResponseSchema>; again: () => void }) {
  const [typed, setTyped] = useFilter("q");
  const found = states.interfaces.filter((one) => matches(typed, one.interface, one.system, one.group, positionWords(one.position)));
  if (states.interfaces.length === 0) {
    return <Empty title="No interface is being moved.">Interfaces with a back end of the old platform are listed here: <code>metip migrate plan</code>.</Empty>;
  }
  return (
    <>
      {states.planProblem && <Empty title="The plan's file can't be used, so the plan before it holds.">{states.planProblem}</Empty>}
      <p class="govuk-body">
        The old platform is <code>{states.oldPlatform || "not named"}</code>. Steps forward {states.approvalRequired ? "need the signatures of two people" : "need a second person"}.
      </p>
      <div class="filters">
        <FilterBox label="Filter by interface, system, group or state" value={typed} change={setTyped} />
      </div>
      <Table caption="Interfaces between the platforms" columns={COLUMNS} rows={found} name={(one) => one.interface} />
      <Scheduled steps={states.scheduled} again={again} />
    </>
  );
}

const COLUMNS: readonly Column<InterfaceState>[] = [
  {
    head: "Interface",
    cell: (one) => <a class="govuk-link" href={addressOf("parallel", one.interface)}>{shortName(one.interface)}</a>,
    order: (one) => one.interface,
  },
  { head: "System", cell: ({ system, group }) => (group ? `${system}, with ${group}` : system), order: ({ system }) => system },
  { head: "State", cell: ({ position }) => <Tag tone={STATES[position?.state ?? 0].tone}>{positionWords(position)}</Tag>, order: ({ position }) => (position?.state ?? 0) * 100 + (position?.percent ?? 0) },
  { head: "Since", cell: ({ since }) => <Time at={since} />, order: ({ since }) => since?.seconds ?? 0n },
  {
    head: "Agreement",
    cell: ({ figures }) => (figures ? parityWords(figures.compared, figures.parity, figures.lower) : "–"),
    order: ({ figures }) => figures?.lower ?? 0,
  },
  { head: "Compared", numeric: true, cell: ({ figures }) => count(figures?.compared ?? 0n), order: ({ figures }) => figures?.compared ?? 0n },
  { head: "Next step", cell: (one) => <Next one={one} /> },
  { head: "Watched", cell: ({ watched }) => (watched ? "steps back by itself" : "no") },
];

function Next({ one: { next, guards } }: { one: InterfaceState }) {
  if (!next) return <>none</>;
  const missing = guards.filter((guard) => !guard.passed && !guard.overridden).length;
  return <>{positionWords(next)} <span class="quiet">{missing === 0 ? "ready" : `${missing} of ${guards.length} guards fail`}</span></>;
}
