/** Calls an operation from here, with sample data or one's own; the hub masks the answer and records that it was tried. */

import { TryService, type TryOperationResponse } from "@gen/metip/console/v1/try_service_pb";
import type { OperationDetail } from "@gen/metip/hub/v1/catalogue_service_pb";
import { useId, useState } from "preact/hooks";
import { client } from "@/calls";
import { Confirm } from "@/parts/confirm";
import { Failure } from "@/parts/states";
import { mayAct } from "@/session";
import { type Fault, faultOf } from "@/words/faults";
import { Tried } from "./tried";

const DEADLINE_MS = 35_000;

export function TryIt({ detail }: { detail: OperationDetail }) {
  const id = useId();
  const operation = detail.explained?.operation ?? "";
  const query = detail.explained?.deliveryClass === "READ";
  const [request, setRequest] = useState(detail.sample || "{}");
  const [asking, setAsking] = useState(false);
  const [sure, setSure] = useState(false);
  const [told, setTold] = useState<TryOperationResponse>();
  const [fault, setFault] = useState<Fault>();
  const call = async () => {
    setAsking(true);
    setFault(undefined);
    try {
      setTold(await client(TryService).tryOperation({ operation, request }, { timeoutMs: DEADLINE_MS }));
    } catch (error) {
      setTold(undefined);
      setFault(faultOf(error));
    }
    setAsking(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (query) void call();
    else setSure(true);
  };
  if (!mayAct()) return <p class="govuk-body quiet">Trying it takes the role operations.</p>;
  return (
    <form onSubmit={submit}>
      <h3 class="govuk-heading-s">Try it</h3>
      <div class="govuk-form-group">
        <label class="govuk-label" for={id}>{detail.sampleTitle ? `Request, as JSON: ${detail.sampleTitle}` : "Request, as JSON"}</label>
        <textarea class="govuk-textarea code" id={id} rows={Math.min(16, request.split("\n").length + 1)} spellcheck={false} value={request} onInput={(event) => setRequest(event.currentTarget.value)} />
      </div>
      <button type="submit" class={`govuk-button ${query ? "" : "govuk-button--warning"}`} disabled={asking}>{asking ? "Calling…" : query ? "Call it" : "Carry it out…"}</button>
      {sure && (
        <Confirm title={`Carry out ${operation.replace(/^.*\//, "")}?`} verb="Carry it out" dangerous act={call} close={() => setSure(false)}>
          <p class="govuk-body">This is a command: what it does is done, in the far system too. It is recorded under your name.</p>
        </Confirm>
      )}
      <div aria-live="polite">
        {fault && <Failure fault={fault} />}
        {told && <Tried told={told} />}
      </div>
    </form>
  );
}
