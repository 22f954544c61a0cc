/** Finds messages by whom or what they are about, by any id, or by a business key; what is typed is in no address and is kept nowhere. */

import { ExchangeService } from "@gen/metip/exchange/v1/exchange_service_pb";
import type { FoundMessage } from "@gen/metip/exchange/v1/finding_pb";
import { useState } from "preact/hooks";
import { client, DEADLINE_MS } from "@/calls";
import { Choice } from "@/parts/choice";
import { Field } from "@/parts/field";
import { Empty, Failure } from "@/parts/states";
import { WhyBox } from "@/parts/why-box";
import { addressOf, navigate } from "@/route";
import { accessOf, useWhy, type Why } from "@/why";
import { type Fault, faultOf } from "@/words/faults";
import { HINTS, KINDS, kindOfId } from "@/words/subjects";
import { Found } from "./found";

const ANY_ID = "any-id";
const KEY = "key";
const BY = [[ANY_ID, "Any id: message, call, record"], ...KINDS, [KEY, "Business key, in full"]] as const;

interface Result {
  readonly messages: readonly FoundMessage[];
  readonly more: string;
}

/** Message ids of a business key, newest last as the exchange lists them. */
async function byKey(key: string, why: Why): Promise<Result> {
  const found = await client(ExchangeService).listDeliveries({ access: accessOf(why), filter: { key } }, { timeoutMs: DEADLINE_MS });
  const first = new Map(found.deliveries.map((one) => [one.messageId, one]));
  const messages = [...first.values()].map(
    ({ messageId, subscription, accepted }) =>
      ({ messageId, operation: subscription.split(":")[1] ?? "", accepted, producer: "", callId: "", record: 0n }) as FoundMessage,
  );
  return { messages, more: "" };
}

async function bySubject(kind: string, value: string, why: Why, pageToken = ""): Promise<Result> {
  const about = kind === ANY_ID ? { callId: value.trim() } : { subjects: [{ kind, value }] };
  const found = await client(ExchangeService).findMessages({ access: accessOf(why), ...about, pageToken }, { timeoutMs: DEADLINE_MS });
  return { messages: found.messages, more: found.nextPageToken };
}

export function Find() {
  const [why] = useWhy();
  const [kind, setKind] = useState<string>(ANY_ID);
  const [value, setValue] = useState("");
  const [result, setResult] = useState<Result>();
  const [fault, setFault] = useState<Fault>();
  const id = kind === ANY_ID ? kindOfId(value) : undefined;
  const asks = id === undefined || id === "call" || id === "key";
  const ask = async (pageToken = "") => {
    const found = kind === KEY || id === "key" ? await byKey(value.trim(), why) : await bySubject(kind, value, why, pageToken);
    setResult((was) => (pageToken && was ? { ...found, messages: [...was.messages, ...found.messages] } : found));
    setFault(undefined);
  };
  const tried = (pageToken = "") => ask(pageToken).catch((error: unknown) => setFault(faultOf(error)));
  const submit = (event: Event) => {
    event.preventDefault();
    if (id === "message") navigate(addressOf("messages", value.trim().toLowerCase()));
    else if (id === "record") navigate(addressOf("ledger", value.trim()));
    else void tried();
  };
  const another = (next: string) => {
    setKind(next);
    setResult(undefined);
  };
  return (
    <section aria-labelledby="find">
      <h2 class="govuk-heading-m" id="find">Find messages</h2>
      <form class="filters" onSubmit={submit}>
        <Choice label="By" value={kind} options={BY} change={another} />
        <Field label="Is" value={value} change={setValue} hint={HINTS[kind] ?? "No message is opened to find it."} required longest={500} />
        {asks && <WhyBox demanded reference={kind !== KEY && id !== "key"} />}
        <button type="submit" class="govuk-button govuk-!-margin-bottom-0">Find</button>
      </form>
      {id === "call" && (
        <p class="govuk-body">
          A call that handed over no message has a story too: <a class="govuk-link" href={addressOf("messages", `journey/${value.trim()}`)}>the whole journey of that call</a>.
        </p>
      )}
      {fault && <Failure fault={fault} />}
      {result && result.messages.length === 0 && !result.more && (
        <Empty title="No message is found.">It may be of another kind of identifier, or accepted only a moment ago: the index follows within seconds.</Empty>
      )}
      {result && (result.messages.length > 0 || result.more) && <Found messages={result.messages} more={result.more} next={tried} />}
    </section>
  );
}
