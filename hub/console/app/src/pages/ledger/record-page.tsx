/** One record: its sentence, all of it that is in clear, and what is sealed for whoever has the role and says why. */

import { LedgerService } from "@gen/metip/ledger/v1/ledger_service_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Page } from "@/parts/page";
import { Answered } from "@/parts/states";
import { WhyBox } from "@/parts/why-box";
import { accessOf, said, useWhy } from "@/why";
import { RecordFacts } from "./record-facts";

export function RecordPage({ index }: { index: bigint }) {
  const [why] = useWhy();
  const [told, setTold] = useState(() => said(why));
  const submit = (event: Event) => {
    event.preventDefault();
    setTold(true);
  };
  return (
    <Page title={`Record ${index}`} above={<a class="govuk-link" href="/ledger">Ledger</a>}>
      {told ? (
        <Shown index={index} />
      ) : (
        <form class="filters" onSubmit={submit}>
          <WhyBox demanded />
          <button type="submit" class="govuk-button govuk-!-margin-bottom-0">Show the record</button>
        </form>
      )}
    </Page>
  );
}

function Shown({ index }: { index: bigint }) {
  const [why] = useWhy();
  const answer = useAnswer((options) => client(LedgerService).getRecord({ access: accessOf(why), index }, options), [String(index)]);
  return <Answered answer={answer}>{({ line }) => (line ? <RecordFacts line={line} /> : null)}</Answered>;
}
