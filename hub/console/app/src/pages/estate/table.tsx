/** The same as the map in rows: counts by state of interfaces, operations, consumers, systems or subscriptions. */

import { Grouping, type Row } from "@gen/metip/estate/v1/estate_pb";
import { State } from "@gen/metip/migration/v1/step_pb";
import { Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { count, enumWord, milliseconds, percent, rate, secondsOf, shortName } from "@/words/formatting";
import { HEALTH } from "./figures";

/** Not kept where nobody counts it, which is something else than none. */
const number = (value: bigint | undefined) => (value === undefined ? <span title="not counted here">–</span> : count(value));

const measured = (read: (row: Row) => number, show: (value: number) => string, head: string): Column<Row> => ({
  head,
  numeric: true,
  cell: (row) => show(read(row)),
  order: read,
});

const counted = (head: string, read: (row: Row) => bigint | undefined, tell?: (row: Row, value: bigint) => preact.ComponentChildren): Column<Row> => ({
  head,
  numeric: true,
  cell: (row) => {
    const value = read(row);
    return value && tell ? tell(row, value) : number(value);
  },
  order: (row) => read(row) ?? -1n,
});

const COLUMNS: readonly Column<Row>[] = [
  { head: "Name", cell: (row) => <a class="govuk-link" href={addressFor(row)} title={row.name}>{shortName(row.name)}</a>, order: ({ name }) => shortName(name) },
  { head: "System", cell: ({ system }) => system || "–", order: ({ system }) => system },
  { head: "State", cell: (row) => <Health row={row} />, order: ({ health }) => health },
  measured((row) => row.measures?.perSecond ?? 0, rate, "Calls/s"),
  measured((row) => row.measures?.p50Ms ?? 0, milliseconds, "p50"),
  measured((row) => row.measures?.p99Ms ?? 0, milliseconds, "p99"),
  measured((row) => row.measures?.errorShare ?? 0, percent, "Errors"),
  counted("Received", (row) => row.counts?.received),
  counted("In flight", (row) => row.counts?.inFlight),
  counted("Queued", (row) => row.counts?.queued),
  counted("Parked", (row) => row.counts?.parked, (row, value) => <a class="govuk-link" href={parkedAddress(row)}>{count(value)}</a>),
  counted("Failed", (row) => row.counts?.failed),
  {
    head: "Oldest waiting",
    cell: ({ counts }) => (counts?.oldestWaiting ? <Time at={counts.oldestWaiting} /> : "–"),
    order: ({ counts }) => -(secondsOf(counts?.oldestWaiting) ?? Infinity),
  },
];

export const EstateTable = ({ rows, filtered }: { rows: readonly Row[]; filtered: boolean }) =>
  rows.length === 0 ? (
    <Empty title="No row is like that.">{filtered ? "Widen the filter." : "Nothing of this kind is known yet: call something, or register an adapter."}</Empty>
  ) : (
    <Table caption="Counts by state" columns={COLUMNS} rows={rows} name={(row) => row.id} />
  );

function Health({ row }: { row: Row }) {
  const [word, tone] = HEALTH[row.health];
  const moved = row.migration !== State.UNSPECIFIED;
  return (
    <>
      {word !== "unknown" && <Tag tone={tone}>{word}</Tag>} {moved && <Tag tone="busy">{enumWord(State[row.migration], "STATE")}</Tag>}
      {word === "unknown" && !moved && "–"}
    </>
  );
}

const ADDRESS: Partial<Record<Grouping, (row: Row) => string>> = {
  [Grouping.INTERFACE]: ({ name }) => addressOf("interfaces", name),
  [Grouping.OPERATION]: ({ name }) => addressOf("interfaces", name.replace(/\/[^/]*$/, ""), { operation: name.replace(/^.*\//, "") }),
  [Grouping.SUBSCRIPTION]: ({ name }) => addressOf("messages", "", { subscription: name }),
};

/** A row's id is its node's, led by `row:`. */
const addressFor = (row: Row): string => ADDRESS[row.by]?.(row) ?? addressOf("estate", "", { node: row.id.replace(/^row:/, "") });
const parkedAddress = ({ by, name }: Row): string => addressOf("messages", "", by === Grouping.SUBSCRIPTION ? { subscription: name, state: "parked" } : { state: "parked" });
