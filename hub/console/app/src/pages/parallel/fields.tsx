/** How far the platforms agree, field by field: the gravest first, each with masked examples. */

import { type FieldVerdict, type Report } from "@gen/metip/parity/v1/verdict_pb";
import { ParityService } from "@gen/metip/parity/v1/parity_service_pb";
import { Code } from "@connectrpc/connect";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { FilterBox, matches } from "@/parts/filter-box";
import { Answered, Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf, useFilter } from "@/route";
import { count, percent } from "@/words/formatting";
import { Examples } from "./examples";
import { FINDINGS, parityWords } from "./positions";

const EVERY_MS = 10_000;

export function Fields({ name }: { name: string }) {
  const answer = useAnswer((options) => client(ParityService).getReport({ interface: name }, options), [name], EVERY_MS);
  const none = answer.fault?.code === Code.NotFound && answer.value === undefined;
  return (
    <section aria-labelledby="fields">
      <h2 class="govuk-heading-m" id="fields">Agreement by field</h2>
      {none ? (
        <Empty title="Nothing of it was ever compared.">Comparisons begin in the state shadow; what the contract forbids is never compared.</Empty>
      ) : (
        <Answered answer={answer}>{({ report }) => (report ? <Agreement report={report} name={name} /> : null)}</Answered>
      )}
    </section>
  );
}

function Agreement({ report, name }: { report: Report; name: string }) {
  const [typed, setTyped] = useFilter("q");
  const [operation] = useFilter("operation");
  const [field] = useFilter("field");
  const found = report.fields.filter((one) => matches(typed, one.operation, one.field, FINDINGS[one.finding].word));
  return (
    <>
      <p class="govuk-body">
        {parityWords(report.compared, report.parity, report.parityLower)} of {count(report.compared)} comparisons agree
        {report.since && <> since <Time at={report.since} full /></>}. The programme board's page: <code>metip migrate report {name} --html board.html</code>
      </p>
      {report.fields.length === 0 ? (
        <Empty title="No field differed." />
      ) : (
        <>
          <div class="filters">
            <FilterBox label="Filter by field, operation or finding" value={typed} change={setTyped} />
          </div>
          <Table
            caption="Fields that differed"
            columns={columnsOf(name)}
            rows={found}
            name={(one) => `${one.operation} ${one.field}`}
            marked={(one) => one.operation === operation && one.field === field}
          />
        </>
      )}
      {operation && field && <Examples operation={operation} field={field} />}
    </>
  );
}

const columnsOf = (name: string): readonly Column<FieldVerdict>[] => [
  {
    head: "Field",
    cell: ({ operation, field }) => <a class="govuk-link" href={`${addressOf("parallel", name, { operation, field })}#examples`}><code>{field}</code></a>,
    order: ({ field }) => field,
  },
  { head: "Operation", cell: ({ operation }) => operation.split("/")[1], order: ({ operation }) => operation },
  { head: "Finding", cell: ({ finding }) => <Tag tone={FINDINGS[finding].tone}>{FINDINGS[finding].word}</Tag>, order: ({ finding }) => finding },
  { head: "Differ", numeric: true, cell: ({ differing }) => count(differing), order: ({ differing }) => differing },
  { head: "Of", numeric: true, cell: ({ compared }) => count(compared), order: ({ compared }) => compared },
  { head: "Share", cell: ({ rateLower, rateUpper }) => `${percent(rateLower)} to ${percent(rateUpper)}`, order: ({ rateUpper }) => rateUpper },
  { head: "Kinds", cell: ({ kinds }) => Object.keys(kinds).join(", ").toLowerCase().replaceAll("_", " ") },
  { head: "Last seen", cell: ({ lastSeen }) => <Time at={lastSeen} />, order: ({ lastSeen }) => lastSeen?.seconds ?? 0n },
  { head: "Said of it", cell: ({ because, hints, needed }) => because || hints.join(", ") || (needed > 0n ? `${count(needed)} more second answers would prove it` : "–") },
];
