/** Moves an interface: back at once and by one person, forward past its guards with a second one. */

import { type InterfaceState, MigrationService } from "@gen/metip/migration/v1/migration_service_pb";
import { State } from "@gen/metip/migration/v1/step_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { mayAct } from "@/session";
import { shortName } from "@/words/formatting";
import { Forward } from "./forward";
import { positionWords } from "./positions";

interface MovesProps {
  readonly one: InterfaceState;
  /** Whether a step forward needs signatures, which are made with keys that no browser has. */
  readonly signed: boolean;
  readonly again: () => void;
}

export function Moves({ one, signed, again }: MovesProps) {
  const [doing, setDoing] = useState<"back" | "forward">();
  const close = () => setDoing(undefined);
  const atStart = one.position?.state === State.LEGACY;
  return (
    <>
      <div class="govuk-button-group">
        <button type="button" class="govuk-button govuk-button--warning" disabled={atStart || !mayAct()} onClick={() => setDoing("back")}>
          Step back…
        </button>
        {one.next && !signed && (
          <button type="button" class="govuk-button govuk-button--secondary" disabled={!mayAct()} onClick={() => setDoing("forward")}>
            Move to {positionWords(one.next)}…
          </button>
        )}
      </div>
      {one.next && signed && (
        <p class="govuk-body">
          A step forward takes the signatures of two people: <code>metip migrate propose {one.interface} --to …</code>, then <code>metip migrate approve</code>.
        </p>
      )}
      {doing === "back" && <Back one={one} close={close} again={again} />}
      {doing === "forward" && <Forward one={one} close={close} again={again} />}
    </>
  );
}

const Back = ({ one, close, again }: { one: InterfaceState; close: () => void; again: () => void }) => (
  <Act
    title={`Step ${shortName(one.interface)} back?`}
    verb="Step back"
    dangerous
    close={close}
    act={async ({ reason }) => {
      await client(MigrationService).stepBack({ interface: one.interface, because: reason });
      again();
    }}
  >
    <p class="govuk-body">
      It leads from {positionWords(one.position)} to where callers are safe, at once, and nobody has to approve it.
      {one.group && ` All of the group ${one.group} go with it.`}
    </p>
  </Act>
);
