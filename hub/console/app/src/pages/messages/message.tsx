/** One message: its own facts, its story as a tree, what a person may do with each delivery, and its content, masked. */

import { ExchangeService, type GetMessageResponse } from "@gen/metip/exchange/v1/exchange_service_pb";
import { useEffect, useRef } from "preact/hooks";
import { client } from "@/calls";
import { useAnswer, useStream } from "@/live";
import { Facts } from "@/parts/facts";
import { Page } from "@/parts/page";
import { Answered } from "@/parts/states";
import { Time } from "@/parts/time";
import { Tree } from "@/parts/tree";
import { addressOf } from "@/route";
import { accessOf, useWhy } from "@/why";
import { shortName } from "@/words/formatting";
import { Content } from "./content";
import { Deeds } from "./deeds";
import { Journey } from "./journey";
import { story } from "./story";

export function Message({ id }: { id: string }) {
  const [why] = useWhy();
  const answer = useAnswer((options) => client(ExchangeService).getMessage({ access: accessOf(why), messageId: id }, options), [id]);
  useAgainWhenItMoves(id, answer.again);
  return (
    <Page title={`Message ${id}`} above={<a class="govuk-link" href="/messages">Messages</a>}>
      <Answered answer={answer}>{(found) => <Found found={found} again={answer.again} />}</Answered>
    </Page>
  );
}

/** Follows where the deliveries stand, which nobody has to account for, and asks for the steps again only when one has moved. */
function useAgainWhenItMoves(id: string, again: () => void): void {
  const moves = useStream((options) => client(ExchangeService).watch({ messageId: id }, options), (seen: number | undefined) => (seen ?? 0) + 1, [id]);
  const seen = useRef(1);
  useEffect(() => {
    if (moves.value !== undefined && moves.value > seen.current) again();
    seen.current = Math.max(moves.value ?? 1, 1);
  }, [moves.value, again]);
}

function Found({ found, again }: { found: GetMessageResponse; again: () => void }) {
  const { message } = found;
  if (!message) return null;
  return (
    <>
      <Facts
        facts={[
          ["Operation", <a class="govuk-link" key="o" href={addressOf("interfaces", message.operation.split("/")[0])}>{shortName(message.operation)}</a>],
          ["Accepted", <Time key="a" at={message.accepted} full />],
          ["Producer", <code key="p">{message.producer || "–"}</code>],
          ["Call", message.callId ? <a class="govuk-link" key="c" href={addressOf("messages", `journey/${message.callId}`)}><code>{message.callId}</code></a> : "–"],
          ...(message.replayOf ? [["Replay of", <a class="govuk-link" key="r" href={addressOf("messages", message.replayOf)}>{message.replayOf}</a>] as const] : []),
        ]}
      />
      <Deeds deliveries={message.deliveries} again={again} />
      <h2 class="govuk-heading-m" id="story">What became of it</h2>
      <Tree label="The message's story" branches={story(found)} />
      <h2 class="govuk-heading-m" id="journey">The whole journey</h2>
      <Journey id={message.messageId} />
      <Content found={found} />
    </>
  );
}
