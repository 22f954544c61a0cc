/** The facts of a record; its particulars once they were opened, for this page only. */

import { LedgerService } from "@gen/metip/ledger/v1/ledger_service_pb";
import { type Line, Sealing } from "@gen/metip/ledger/v1/query_pb";
import { Kind, type Particulars } from "@gen/metip/ledger/v1/record_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { Facts } from "@/parts/facts";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { accessOf } from "@/why";
import { enumWord, milliseconds, secondsOf } from "@/words/formatting";
import { purposeWords, SEALED } from "./words";

export function RecordFacts({ line }: { line: Line }) {
  const [opened, setOpened] = useState<Particulars>();
  const [asking, setAsking] = useState(false);
  const record = line.record;
  if (!record) return null;
  const { messageId, took } = record;
  return (
    <>
      <p class="govuk-body-l sentence">{line.sentence}</p>
      <Facts
        facts={[
          ["Recorded", <Time key="t" at={record.at} full />],
          ["Kind", enumWord(Kind[record.kind], "KIND")],
          ["Operation", <code key="o">{record.operation || "–"}</code>],
          ["Purpose", purposeWords(record.purpose)],
          ["Consumer or operator", <code key="c">{record.consumer || "–"}</code>],
          ["Force, unit", [record.force, record.unit].filter(Boolean).join(", ") || "–"],
          ["Outcome", record.outcome || "–"],
          ["Disclosed", String(record.disclosed)],
          ["Answered by", [record.platform, record.recipient && `to ${record.recipient}`].filter(Boolean).join(", ")],
          ["Took", took ? milliseconds((secondsOf(took) ?? 0) * 1000) : "–"],
          ["Call", record.callId ? <a class="govuk-link" key="i" href={addressOf("messages", `journey/${record.callId}`)}><code>{record.callId}</code></a> : "–"],
          ["Message", messageId ? <a class="govuk-link" key="m" href={addressOf("messages", messageId)}><code>{messageId}</code></a> : "–"],
          ["Place", `${line.journal}, position ${line.position}`],
          ["Particulars", opened ? <Opened key="p" found={opened} /> : SEALED[line.sealing]],
        ]}
      />
      {line.sealing === Sealing.SEALED && !opened && (
        <button type="button" class="govuk-button govuk-button--secondary" onClick={() => setAsking(true)}>Open what is sealed…</button>
      )}
      {asking && (
        <Act
          title="Open what is sealed?"
          verb="Open it"
          dangerous
          close={() => setAsking(false)}
          act={async (why) => setOpened((await client(LedgerService).getRecord({ access: accessOf(why), index: line.index, unmask: true })).particulars)}
        >
          <p class="govuk-body">It takes the role <code>unmask</code>. Your name, the record and the reason are recorded before it is shown.</p>
        </Act>
      )}
    </>
  );
}

const Opened = ({ found }: { found: Particulars }) => (
  <ul class="govuk-list govuk-!-margin-bottom-0">
    {found.officer && <li>Person: {found.officer}</li>}
    {found.reference && <li>Reference: {found.reference}</li>}
    {found.onBehalfOf && <li>On behalf of: {found.onBehalfOf}</li>}
    {found.justification && <li>Justification: {found.justification}</li>}
    {found.deviceId && <li>Device: {found.deviceId}</li>}
    {found.detail && <li>Detail: {found.detail}</li>}
  </ul>
);
