/** The guards of the next step: which pass, what was found, and how to get what is missing. */

import type { GuardFinding, Position } from "@gen/metip/migration/v1/step_pb";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { positionWords } from "./positions";

const COLUMNS: readonly Column<GuardFinding>[] = [
  { head: "Guard", cell: ({ guard }) => guard, order: ({ guard }) => guard },
  { head: "Passes", cell: (one) => <Verdict one={one} />, order: ({ passed }) => Number(passed) },
  { head: "Found", cell: ({ found }) => found },
  { head: "What is missing", cell: ({ remedy }) => remedy || "–" },
];

const Verdict = ({ one: { passed, overridden } }: { one: GuardFinding }) =>
  passed ? <Tag tone="good">yes</Tag> : overridden ? <Tag tone="warn">excused</Tag> : <Tag tone="bad">no</Tag>;

export const GuardTable = ({ guards }: { guards: readonly GuardFinding[] }) => (
  <Table caption="Guards of the step" columns={COLUMNS} rows={guards} name={({ guard }) => guard} />
);

export const Guards = ({ next, guards }: { next: Position | undefined; guards: readonly GuardFinding[] }) =>
  next ? (
    <>
      <h2 class="govuk-heading-m" id="next">What {positionWords(next)} needs</h2>
      <GuardTable guards={guards} />
    </>
  ) : null;
