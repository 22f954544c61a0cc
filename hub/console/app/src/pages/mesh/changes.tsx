/** The history of configuration: each change with its cause, its author, what Envoy said and what became different. */

import type { Change } from "@gen/metip/hub/v1/mesh_service_pb";
import { Choice } from "@/parts/choice";
import { FilterBox, matches } from "@/parts/filter-box";
import { Empty } from "@/parts/states";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf, useFilter } from "@/route";
import { milliseconds, secondsOf } from "@/words/formatting";
import { OUTCOMES, refused, resourceOf, summary } from "./standing";

const DRAWN = 40;

export function Changes({ changes, shown }: { changes: readonly Change[]; shown: string }) {
  const [typed, setTyped] = useFilter("q");
  const [outcome, setOutcome] = useFilter("outcome", "all");
  const found = changes.filter((one) => (outcome === "all" || refused(one)) && matches(typed, one.cause, one.author, ...one.reasons, ...one.resources));
  const drawn = shown ? found.filter((one, place) => place < DRAWN || String(one.id) === shown) : found.slice(0, DRAWN);
  return (
    <>
      <div class="filters">
        <FilterBox label="Filter by cause, author, resource or Envoy's words" value={typed} change={setTyped} />
        <Choice label="Outcome" value={outcome} change={setOutcome} options={[["all", "All"], ["refused", "Refused (NACK)"]]} />
      </div>
      <p class="govuk-body quiet" role="status">
        {drawn.length} of {changes.length} changes are shown{found.length > drawn.length && "; narrow the filter to see older ones"}.
      </p>
      {drawn.length === 0 && (
        <Empty title={outcome === "refused" && !typed ? "No change was refused since the hub started." : "No change is like that."}>
          {typed && "Widen the filter. The hub keeps its latest 500 changes; what people did before is in the ledger."}
        </Empty>
      )}
      {drawn.map((change) => (
        <ChangeRow key={String(change.id)} change={change} open={String(change.id) === shown} />
      ))}
    </>
  );
}

function ChangeRow({ change, open }: { change: Change; open: boolean }) {
  const { word, tone, meaning } = OUTCOMES[change.outcome];
  const resources = change.resources.map(resourceOf);
  const took = (secondsOf(change.finished) ?? 0) - (secondsOf(change.started) ?? 0);
  return (
    <details class={`govuk-body flush change ${open ? "change--shown" : ""}`} open={open || refused(change)}>
      <summary>
        <Tag tone={tone}>{word}</Tag>
        <strong>{change.cause}</strong>
        <span>by {change.author}</span>
        <span class="quiet">
          <Time at={change.started} />, {summary(resources)}
        </span>
      </summary>
      <div class="change__body">
        <p class="govuk-body">
          {meaning} Took {milliseconds(took * 1000)}. <a class="govuk-link" href={addressOf("mesh", String(change.id))}>Change {String(change.id)}</a>
        </p>
        {change.reasons.length > 0 && (
          <ul class="govuk-list govuk-list--bullet">
            {change.reasons.map((reason) => (
              <li key={reason}>
                <code>{reason}</code>
              </li>
            ))}
          </ul>
        )}
        {resources.length > 0 && (
          <ul class="difference" aria-label="Resources that differ" tabIndex={0}>
            {resources.map(({ mark, kind, name }) => (
              <li key={`${kind} ${name}`} class={mark}>
                {mark} {kind} {name}
              </li>
            ))}
          </ul>
        )}
      </div>
    </details>
  );
}
