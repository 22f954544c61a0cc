/** The accounts: what each subscription was given, by state; stop and resume one. */

import { ExchangeService } from "@gen/metip/exchange/v1/exchange_service_pb";
import { State, type SubscriptionState } from "@gen/metip/exchange/v1/message_pb";
import { useMemo, useState } from "preact/hooks";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Act } from "@/parts/act";
import { Answered, Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { mayAct } from "@/session";
import { accessOf } from "@/why";
import { count } from "@/words/formatting";
import { subscriptionWords } from "./filter";
import { numberOf, slug, STATES, total } from "./states";

const EVERY_MS = 4_000;
const SHOWN: readonly State[] = [State.PENDING, State.ATTEMPT, State.DELIVERED, State.PROCESSED, State.REFUSED, State.PARKED, State.IN_DOUBT, State.EXPIRED];

const ofState = (state: State): Column<SubscriptionState> => ({
  head: STATES[state].word,
  numeric: true,
  order: ({ counts }) => numberOf(counts, state),
  cell: ({ subscription, counts }) => {
    const number = numberOf(counts, state);
    return number === 0 ? "0" : <a class="govuk-link" href={`${addressOf("messages", "", { subscription, state: slug(state) })}#deliveries`}>{count(number)}</a>;
  },
});

const columnsFor = (choose: (one: SubscriptionState) => void): readonly Column<SubscriptionState>[] => [
  
  { head: "Subscription", cell: ({ subscription }) => <span title={subscription}>{subscriptionWords(subscription)}</span>, order: ({ subscription }) => subscription },
  { head: "Condition", cell: (one) => <Condition one={one} /> },
  ...SHOWN.map(ofState),
  { head: "total", numeric: true, cell: ({ counts }) => count(total(counts)), order: ({ counts }) => total(counts) },
  { head: "Oldest waiting", cell: ({ oldestWaiting }) => <Time at={oldestWaiting} />, order: ({ oldestWaiting }) => oldestWaiting?.seconds ?? 0n },
  {
    head: "Steer",
    cell: (one) => (
      <button type="button" class="govuk-button govuk-button--secondary small" disabled={!mayAct()} onClick={() => choose(one)}>
        {one.paused ? "Resume" : "Pause"} <span class="govuk-visually-hidden">{subscriptionWords(one.subscription)}</span>
      </button>
    ),
  },
];

export function Accounts() {
  const answer = useAnswer((options) => client(ExchangeService).listSubscriptions({}, options), [], EVERY_MS);
  const [chosen, setChosen] = useState<SubscriptionState>();
  const columns = useMemo(() => columnsFor(setChosen), []);
  return (
    <section aria-labelledby="accounts">
      <h2 class="govuk-heading-m" id="accounts">Subscriptions</h2>
      <Answered answer={answer}>
        {({ subscriptions }) =>
          subscriptions.length === 0 ? (
            <Empty title="There are no subscriptions.">A contract makes one with <code>subscribes</code>.</Empty>
          ) : (
            <Table caption="Subscriptions with their deliveries by state" columns={columns} rows={subscriptions} name={(one) => one.subscription} />
          )
        }
      </Answered>
      {chosen && <Pause one={chosen} close={() => setChosen(undefined)} done={answer.again} />}
    </section>
  );
}

function Condition({ one }: { one: SubscriptionState }) {
  if (one.paused) return <Tag tone="warn">paused</Tag>;
  if (one.unreachableSince) return <><Tag tone="bad">unreachable</Tag> <Time at={one.unreachableSince} /></>;
  return <Tag tone="good">delivers</Tag>;
}

function Pause({ one, close, done }: { one: SubscriptionState; close: () => void; done: () => void }) {
  const verb = one.paused ? "Resume" : "Pause";
  return (
    <Act
      title={`${verb} ${subscriptionWords(one.subscription)}?`}
      verb={verb}
      close={close}
      act={async (why) => {
        await client(ExchangeService).pauseSubscription({ access: accessOf(why), subscription: one.subscription, paused: !one.paused });
        done();
      }}
    >
      <p class="govuk-body">
        {one.paused ? "What was accepted meanwhile is delivered, in order." : "What is accepted meanwhile waits. Attempts that are under way end as they would have."}
      </p>
    </Act>
  );
}
