/** Deliveries that a filter finds, with views that are kept in this browser, and a replay of all that is found. */

import { ExchangeService } from "@gen/metip/exchange/v1/exchange_service_pb";
import type { DeliveryState } from "@gen/metip/exchange/v1/message_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Choice } from "@/parts/choice";
import { Field } from "@/parts/field";
import { Answered, Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf, useFilter } from "@/route";
import { mayAct } from "@/session";
import { accessOf, useWhy } from "@/why";
import { AGES, everything, filterOf, operationOptions, subscriptionWords } from "./filter";
import { Replay } from "./replay";
import { ORDER, slug, stateOf, STATES } from "./states";
import { Views } from "./views-list";

const LIMIT = 500;
const STATE_OPTIONS = [["", "Any state"], ...ORDER.map((state) => [slug(state), STATES[state].word] as const)] as const;

export function Deliveries() {
  const [subscription, setSubscription] = useFilter("subscription");
  const [operation, setOperation] = useFilter("operation");
  const [said, setState] = useFilter("state");
  const wanted = stateOf(said);
  const state = wanted === undefined ? said : slug(wanted);
  const [reason, setReason] = useFilter("cause");
  const [since, setSince] = useFilter("since");
  const [why] = useWhy();
  const [replaying, setReplaying] = useState(false);
  const typed = { subscription, operation, state, reason, since };
  const asked = !everything(typed);
  const answer = useAnswer(
    async (options) => (asked ? client(ExchangeService).listDeliveries({ access: accessOf(why), filter: filterOf(typed), pageSize: LIMIT }, options) : undefined),
    [subscription, operation, state, reason, since],
  );
  const accounts = useAnswer((options) => client(ExchangeService).listSubscriptions({}, options), []);
  const operations = operationOptions((accounts.value?.subscriptions ?? []).map((one) => one.operation), operation);
  const names = (accounts.value?.subscriptions ?? []).map((one) => [one.subscription, subscriptionWords(one.subscription)] as const);
  return (
    <section aria-labelledby="deliveries">
      <h2 class="govuk-heading-m" id="deliveries">Deliveries</h2>
      <Views />
      <div class="filters">
        <Choice label="Subscription" value={subscription} options={[["", "Any subscription"], ...names]} change={setSubscription} />
        <Choice label="Interface or operation" value={operation} options={[["", "Any operation"], ...operations]} change={setOperation} />
        <Choice label="State" value={state} options={STATE_OPTIONS} change={setState} />
        <Field label="Cause" value={reason} change={setReason} longest={50} />
        <Choice label="Accepted within" value={since} options={AGES} change={setSince} />
        <button type="button" class="govuk-button govuk-button--secondary small" onClick={answer.again} disabled={!asked}>Look again</button>
        <button type="button" class="govuk-button small" disabled={!asked || !mayAct()} onClick={() => setReplaying(true)}>Replay all of these…</button>
      </div>
      {!asked ? (
        <Empty title="Choose what to list.">Each look is recorded, so nothing is listed before you say what: a view, a state, a subscription, a time.</Empty>
      ) : (
        <Answered answer={answer}>{(found) => (found ? <List found={found.deliveries} more={found.nextPageToken !== ""} /> : null)}</Answered>
      )}
      {replaying && <Replay filter={filterOf(typed)} close={() => setReplaying(false)} done={answer.again} />}
    </section>
  );
}

const COLUMNS: readonly Column<DeliveryState>[] = [
  { head: "Message", cell: ({ messageId }) => <a class="govuk-link" href={addressOf("messages", messageId)}><code>{messageId}</code></a> },
  { head: "Subscription", cell: ({ subscription }) => subscriptionWords(subscription), order: ({ subscription }) => subscription },
  { head: "State", cell: ({ state }) => <Tag tone={STATES[state].tone}>{STATES[state].word}</Tag>, order: ({ state }) => state },
  { head: "Accepted", cell: ({ accepted }) => <Time at={accepted} />, order: ({ accepted }) => accepted?.seconds ?? 0n },
  { head: "Attempts", numeric: true, cell: ({ attempts }) => attempts, order: ({ attempts }) => attempts },
  { head: "Next", cell: ({ heldBack, nextAttempt }) => (heldBack ? "held back by its key" : <Time at={nextAttempt} />) },
  { head: "Last attempt", cell: ({ status, reason }) => <code>{`${status} ${reason}`.trim() || "–"}</code>, order: ({ reason }) => reason },
];

const List = ({ found, more }: { found: readonly DeliveryState[]; more: boolean }) =>
  found.length === 0 ? (
    <Empty title="No delivery is like that.">Widen the filter, or be glad.</Empty>
  ) : (
    <>
      <p class="govuk-body quiet" role="status">
        {found.length} {more ? "of more are listed, oldest first; narrow the filter to see the others" : "are listed, oldest first"}.
      </p>
      <Table caption="Deliveries" columns={COLUMNS} rows={found} name={(one) => `${one.messageId} ${one.subscription}`} />
    </>
  );
