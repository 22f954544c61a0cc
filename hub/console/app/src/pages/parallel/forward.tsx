/** A step forward: tried first, which shows what each guard finds, and taken only then. */

import { type InterfaceState, MigrationService, type TakeStepResponse } from "@gen/metip/migration/v1/migration_service_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { Field } from "@/parts/field";
import { shortName } from "@/words/formatting";
import { GuardTable } from "./guards";
import { positionWords } from "./positions";

interface ForwardProps {
  readonly one: InterfaceState;
  readonly close: () => void;
  readonly again: () => void;
}

export function Forward({ one, close, again }: ForwardProps) {
  const [approver, setApprover] = useState("");
  const [attested, setAttested] = useState("");
  const [tried, setTried] = useState<TakeStepResponse>();
  const name = shortName(one.interface);
  const admissible = tried?.admissible ?? false;
  const guards = tried?.step?.moves.flatMap((move) => move.guards) ?? [];
  return (
    <Act
      title={admissible ? `Move ${name} to ${positionWords(one.next)}?` : `Would ${name} pass to ${positionWords(one.next)}?`}
      verb={admissible ? `Move to ${positionWords(one.next)}` : "Try it"}
      dangerous={admissible}
      close={close}
      act={async ({ reason }) => {
        if (!one.next) return true;
        const { state, percent } = one.next;
        const said = { interface: one.interface, to: { state, percent }, because: reason, approver, attested };
        const told = await client(MigrationService).takeStep({ ...said, preview: !admissible });
        if (admissible) again();
        else setTried(told);
        return admissible;
      }}
    >
      {guards.length > 0 && <GuardTable guards={guards} />}
      {tried && !admissible && <p class="govuk-body govuk-!-font-weight-bold">It would be refused: a guard fails. Correct what is missing and try it again.</p>}
      {admissible && <p class="govuk-body">Every guard passes. Nothing was moved yet.</p>}
      <Field label="Approved by" hint="Another person than you, by their user name." value={approver} change={setApprover} longest={61} />
      <Field label="Evidence that somebody attests" hint="Only where nothing may be compared: its reference." value={attested} change={setAttested} longest={100} />
    </Act>
  );
}
