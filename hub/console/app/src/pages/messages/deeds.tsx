/** What a person may do with each delivery of a message: park, release, purge, settle. Each is confirmed, with a reason that is kept. */

import { ExchangeService } from "@gen/metip/exchange/v1/exchange_service_pb";
import type { DeliveryState } from "@gen/metip/exchange/v1/message_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { Tag } from "@/parts/tag";
import { mayAct } from "@/session";
import { accessOf } from "@/why";
import { subscriptionWords } from "./filter";
import { type Deed, deedsOf, STATES } from "./states";

interface Chosen {
  readonly deed: Deed;
  readonly delivery: DeliveryState;
}

export function Deeds({ deliveries, again }: { deliveries: readonly DeliveryState[]; again: () => void }) {
  const [chosen, setChosen] = useState<Chosen>();
  const open = deliveries.filter(({ state }) => deedsOf(state).length > 0);
  return (
    <>
      {open.map((delivery) => (
        <div class="deeds" key={delivery.subscription}>
          <span class="govuk-body govuk-!-margin-bottom-0">
            {subscriptionWords(delivery.subscription)} <Tag tone={STATES[delivery.state].tone}>{STATES[delivery.state].word}</Tag>
          </span>
          {deedsOf(delivery.state).map((deed) => (
            <button type="button" class="govuk-button govuk-button--secondary small" key={deed.verb} disabled={!mayAct()} onClick={() => setChosen({ deed, delivery })}>
              {deed.verb} <span class="govuk-visually-hidden">{subscriptionWords(delivery.subscription)}</span>
            </button>
          ))}
        </div>
      ))}
      {chosen && <Decide chosen={chosen} close={() => setChosen(undefined)} again={again} />}
    </>
  );
}

function Decide({ chosen: { deed, delivery }, close, again }: { chosen: Chosen; close: () => void; again: () => void }) {
  const { messageId, subscription } = delivery;
  return (
    <Act
      title={`${deed.verb} the delivery to ${subscriptionWords(subscription)}?`}
      verb={deed.verb}
      dangerous={deed.dangerous ?? false}
      close={close}
      act={async (why) => {
        await client(ExchangeService).decide({ access: accessOf(why), decision: deed.decision, deliveries: [{ messageId, subscription }] });
        again();
      }}
    >
      <p class="govuk-body">{deed.meaning}</p>
    </Act>
  );
}
