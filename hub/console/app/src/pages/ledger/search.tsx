/** Finds records by subject, person, consumer, purpose, time, reference; each is told as one line of plain English. */

import { LedgerService } from "@gen/metip/ledger/v1/ledger_service_pb";
import type { Line } from "@gen/metip/ledger/v1/query_pb";
import { useState } from "preact/hooks";
import { client, DEADLINE_MS } from "@/calls";
import { Field } from "@/parts/field";
import { Failure } from "@/parts/states";
import { WhyBox } from "@/parts/why-box";
import { accessOf, useWhy } from "@/why";
import { type Fault, faultOf } from "@/words/faults";
import { Lines } from "./lines";
import { PlainFields, usePlain } from "./plain-fields";
import { NOBODY, queryOf } from "./query";
import { SubjectFields } from "./subject-fields";

const PAGE = 50;

interface Result {
  readonly lines: readonly Line[];
  readonly more: string;
}

export function Search() {
  const [why] = useWhy();
  const [plain, setPlain] = usePlain();
  const [personal, setPersonal] = useState(NOBODY);
  const [result, setResult] = useState<Result>();
  const [fault, setFault] = useState<Fault>();
  const ask = async (pageToken = "") => {
    try {
      const asked = { access: accessOf(why), query: queryOf(plain, personal), pageSize: PAGE, pageToken };
      const found = await client(LedgerService).searchRecords(asked, { timeoutMs: DEADLINE_MS });
      setResult((was) => ({ lines: pageToken && was ? [...was.lines, ...found.lines] : found.lines, more: found.nextPageToken }));
      setFault(undefined);
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void ask();
  };
  return (
    <section aria-labelledby="search">
      <h2 class="govuk-heading-m" id="search">Who did what to whose data</h2>
      <form onSubmit={submit}>
        <div class="filters">
          <SubjectFields personal={personal} change={setPersonal} />
          <Field label="Person behind it" hint="By warrant number." value={personal.officer} change={(officer) => setPersonal({ ...personal, officer })} longest={40} />
          <Field label="Reference that was stated" hint="An incident or crime number." value={personal.reference} change={(reference) => setPersonal({ ...personal, reference })} longest={50} />
        </div>
        <PlainFields plain={plain} change={setPlain} />
        <div class="filters">
          <WhyBox demanded />
          <button type="submit" class="govuk-button govuk-!-margin-bottom-0">Search</button>
        </div>
      </form>
      <p class="govuk-body quiet">All that is said must hold. A search is itself recorded, under whom it asks about, before it is answered.</p>
      {fault && <Failure fault={fault} />}
      {result && <Lines lines={result.lines} more={result.more} next={() => void ask(result.more)} />}
    </section>
  );
}
