/** What waits for a person, grouped by cause, the largest group first, each with the notes that people left on it. */

import { ExchangeService, type WaitingGroup } from "@gen/metip/exchange/v1/exchange_service_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Answered, Empty } from "@/parts/states";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { mayAct } from "@/session";
import { subscriptionWords } from "./filter";
import { NoteDialog, Notes } from "./notes";
import { Replay } from "./replay";
import { deliveries, slug, STATES } from "./states";

const EVERY_MS = 4_000;
const nameOf = (one: WaitingGroup): string => [one.subscription, one.state, one.status, one.reason].join(" ");

interface Doing {
  readonly what: "replay" | "note";
  readonly group: WaitingGroup;
}

export function Groups() {
  const answer = useAnswer((options) => client(ExchangeService).groupWaiting({}, options), [], EVERY_MS);
  const [doing, setDoing] = useState<Doing>();
  const close = () => setDoing(undefined);
  return (
    <section aria-labelledby="waiting">
      <h2 class="govuk-heading-m" id="waiting">Waits for a person</h2>
      <Answered answer={answer}>
        {({ groups }) =>
          groups.length === 0 ? (
            <Empty title="Nothing waits for a person.">Deliveries that can't be made are listed here by their cause.</Empty>
          ) : (
            <ul class="groups">
              {groups.map((one) => (
                <Group key={nameOf(one)} group={one} begin={setDoing} />
              ))}
            </ul>
          )
        }
      </Answered>
      {doing?.what === "note" && <NoteDialog group={doing.group} close={close} done={answer.again} />}
      {doing?.what === "replay" && <Replay filter={filterOf(doing.group)} close={close} done={answer.again} />}
    </section>
  );
}

const filterOf = ({ subscription, state, reason }: WaitingGroup) => ({ subscription, states: [state], reason });

/** What is done to a group is held by the list of them: a group that was replayed is gone before its dialog is. */
function Group({ group, begin }: { group: WaitingGroup; begin: (doing: Doing) => void }) {
  const { word, tone } = STATES[group.state];
  const query = { subscription: group.subscription, state: slug(group.state), cause: group.reason };
  const cause = `${group.status} ${group.reason}`.trim() || "no cause was told";
  return (
    <li class="group">
      <h3 class="govuk-heading-s govuk-!-margin-bottom-1">
        {deliveries(Number(group.deliveries))} of {subscriptionWords(group.subscription)}: <code>{cause}</code> <Tag tone={tone}>{word}</Tag>
      </h3>
      <p class="govuk-body govuk-!-margin-bottom-1">
        The oldest was accepted <Time at={group.oldest} />.{" "}
        <a class="govuk-link" href={addressOf("messages", group.exampleMessageId)}>One of them<span class="govuk-visually-hidden"> of {cause}</span></a>,{" "}
        <a class="govuk-link" href={`${addressOf("messages", "", query)}#deliveries`}>all of them<span class="govuk-visually-hidden"> of {cause}</span></a>
      </p>
      <Notes notes={group.notes} />
      <div class="buttons">
        <button type="button" class="govuk-button small" disabled={!mayAct()} onClick={() => begin({ what: "replay", group })}>
          Replay… <span class="govuk-visually-hidden">what waits for {cause}</span>
        </button>
        <button type="button" class="govuk-button govuk-button--secondary small" disabled={!mayAct()} onClick={() => begin({ what: "note", group })}>
          Leave a note <span class="govuk-visually-hidden">on {cause}</span>
        </button>
      </div>
    </li>
  );
}
