/** The content of a message as the hub masks it; without masks for whoever has the role, once that is recorded, and for this page only. */

import { ExchangeService, type GetMessageResponse } from "@gen/metip/exchange/v1/exchange_service_pb";
import { useState } from "preact/hooks";
import { client } from "@/calls";
import { Act } from "@/parts/act";
import { Empty } from "@/parts/states";
import { accessOf } from "@/why";

export function Content({ found }: { found: GetMessageResponse }) {
  const [clear, setClear] = useState("");
  const [asking, setAsking] = useState(false);
  const messageId = found.message?.messageId ?? "";
  return (
    <>
      <h2 class="govuk-heading-m" id="content">Content</h2>
      {!found.maskedContent ? (
        <Empty title={`${found.contentBytes} bytes of an operation that is not loaded any more.`}>Load its contract again to read it.</Empty>
      ) : (
        <>
          <p class="govuk-body">
            {found.contentType}, {found.contentBytes} bytes; what is personal is {clear ? "shown, and that is recorded" : "masked by the hub"}.{" "}
            {clear ? (
              <button type="button" class="govuk-button govuk-button--secondary small" onClick={() => setClear("")}>Mask it again</button>
            ) : (
              <button type="button" class="govuk-button govuk-button--secondary small" onClick={() => setAsking(true)}>Show without masks…</button>
            )}
          </p>
          <pre class="content" tabIndex={0} aria-label="Content">{pretty(clear || found.maskedContent)}</pre>
        </>
      )}
      {asking && (
        <Act
          title="Show what is personal?"
          verb="Show it"
          dangerous
          close={() => setAsking(false)}
          act={async (why) => setClear((await client(ExchangeService).getMessage({ access: accessOf(why), messageId, unmask: true })).content)}
        >
          <p class="govuk-body">It takes the role <code>unmask</code>. Your name, the message and the reason are recorded before it is shown.</p>
        </Act>
      )}
    </>
  );
}

/** JSON with its lines; what is none, as it is. */
export function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
