/** One table for all pages: columns say how a row is shown and ordered; long ones show a page at a time and say how much is hidden. */

import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { count } from "@/words/formatting";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly numeric?: boolean;
  /** What to order by; without it the column can't be ordered. */
  readonly order?: (row: Row) => string | number | bigint;
}

interface TableProps<Row> {
  /** Names the table for screen readers; shown where `quiet` is false. */
  readonly caption: string;
  readonly quiet?: boolean;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly name: (row: Row) => string;
  /** How many rows are drawn before "Show more" is pressed. */
  readonly shown?: number;
  readonly marked?: (row: Row) => boolean;
}

const PAGE = 50;

export function Table<Row>({ caption, quiet = true, columns, rows, name, shown = PAGE, marked }: TableProps<Row>) {
  const [by, setBy] = useState<{ head: string; down: boolean }>();
  const [limit, setLimit] = useState(shown);
  const ordered = useMemo(() => inOrder(rows, columns, by), [rows, columns, by]);
  const hidden = ordered.length - limit;
  const press = (head: string) => setBy((was) => (was?.head === head ? (was.down ? undefined : { head, down: true }) : { head, down: false }));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="govuk-table">
        <caption class={quiet ? "govuk-visually-hidden" : "govuk-table__caption govuk-table__caption--m"}>{caption}</caption>
        <thead class="govuk-table__head">
          <tr class="govuk-table__row">
            {columns.map((column) => (
              <Head key={column.head} column={column} by={by} press={press} />
            ))}
          </tr>
        </thead>
        <tbody class="govuk-table__body">
          {ordered.slice(0, limit).map((row) => (
            <tr class="govuk-table__row" key={name(row)} aria-current={marked?.(row) ? "true" : undefined}>
              {columns.map((column) => (
                <td class={`govuk-table__cell ${column.numeric ? "govuk-table__cell--numeric" : ""}`} key={column.head}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {hidden > 0 && (
        <p class="govuk-body">
          {count(hidden)} more are not shown.{" "}
          <button type="button" class="govuk-button govuk-button--secondary small" onClick={() => setLimit(limit + 4 * PAGE)}>
            Show more
          </button>
        </p>
      )}
    </div>
  );
}

interface HeadProps<Row> {
  readonly column: Column<Row>;
  readonly by: { head: string; down: boolean } | undefined;
  readonly press: (head: string) => void;
}

function Head<Row>({ column, by, press }: HeadProps<Row>) {
  const active = by?.head === column.head ? by : undefined;
  const sort = active ? (active.down ? "descending" : "ascending") : "none";
  const kind = `govuk-table__header ${column.numeric ? "govuk-table__header--numeric" : ""}`;
  if (!column.order) return <th scope="col" class={kind}>{column.head}</th>;
  return (
    <th scope="col" class={kind} aria-sort={sort}>
      <button type="button" class={`order order--${sort}`} onClick={() => press(column.head)}>
        {column.head}
      </button>
    </th>
  );
}

export function inOrder<Row>(rows: readonly Row[], columns: readonly Column<Row>[], by?: { head: string; down: boolean }): readonly Row[] {
  const order = by && columns.find((column) => column.head === by.head)?.order;
  if (!order) return rows;
  const sign = by.down ? -1 : 1;
  return rows.toSorted((left, right) => {
    const [a, b] = [order(left), order(right)];
    return sign * (typeof a === "string" && typeof b === "string" ? a.localeCompare(b, "en-GB", { numeric: true }) : Number(a > b) - Number(a < b));
  });
}
