/** Notes on a group: what whoever looks at it next should know, naming nobody. */

import { ExchangeService, type WaitingGroup } from "@gen/metip/exchange/v1/exchange_service_pb";
import type { GroupNote } from "@gen/metip/exchange/v1/note_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Confirm } from "@/parts/confirm";
import { Field } from "@/parts/field";
import { Time } from "@/parts/time";
import { accessOf, useWhy } from "@/why";

export const Notes = ({ notes }: { notes: readonly GroupNote[] }) =>
  notes.length === 0 ? null : (
    <ul class="notes" aria-label="Notes">
      {notes.map(({ at, by, words }) => (
        <li key={`${at?.seconds} ${at?.nanos} ${by}`}>
          {words} <span class="quiet">{by}, <Time at={at} /></span>
        </li>
      ))}
    </ul>
  );

export function NoteDialog({ group, close, done }: { group: WaitingGroup; close: () => void; done: () => void }) {
  const [why] = useWhy();
  const [words, setWords] = useState("");
  const { subscription, state, status, reason } = group;
  return (
    <Confirm
      title="Leave a note"
      verb="Leave it"
      close={close}
      act={async () => {
        await client(ExchangeService).noteGroup({ access: accessOf(why), subscription, state, status, reason, words });
        done();
      }}
    >
      <Field label="What should the next person know?" hint="Name nobody: an identifier of a person or a vehicle is refused." kind="area" value={words} change={setWords} required shortest={3} longest={500} />
    </Confirm>
  );
}
