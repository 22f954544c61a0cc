/** What stands behind one box of the map. */

import { EdgeKind, type Node, NodeKind } from "@gen/metip/estate/v1/estate_pb";
import { State } from "@gen/metip/migration/v1/step_pb";
import { Facts } from "@/parts/facts";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { count, enumWord, milliseconds, percent, rate } from "@/words/formatting";
import { HEALTH } from "./figures";
import type { Picture } from "./picture";

const WORDS: Readonly<Record<NodeKind, string>> = {
  [NodeKind.UNSPECIFIED]: "Node",
  [NodeKind.CONSUMER]: "Consumer",
  [NodeKind.INTERFACE]: "Interface",
  [NodeKind.SYSTEM]: "System",
  [NodeKind.INSTANCE]: "Instance",
};

export function Details({ picture, id, close }: { picture: Picture; id: string; close: () => void }) {
  const node = picture.nodes.get(id.replace(/^calling /, ""));
  if (!node) return null;
  const [word, tone] = HEALTH[node.health];
  return (
    <section class="details" aria-label={`Details of ${node.label}`}>
      <button type="button" class="govuk-button govuk-button--secondary small details__close" onClick={close}>Close</button>
      <h2 class="govuk-heading-m">{node.label} <span class="quiet">{WORDS[node.kind].toLowerCase()}</span> <Tag tone={tone}>{word}</Tag></h2>
      {node.notes.length > 0 && (
        <ul class="govuk-list govuk-list--bullet">
          {node.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <Facts facts={[["Name", <code key="n">{node.name}</code>], ...moved(node), ...measured(node), ...counted(node), ...runs(node, picture)]} />
      <p class="govuk-body">
        <Onward node={node} />
      </p>
    </section>
  );
}

type Fact = readonly [string, preact.ComponentChildren];

function moved({ migration, newPlatformPercent }: Node): Fact[] {
  if (migration === State.UNSPECIFIED) return [];
  return [["Migration", `${enumWord(State[migration], "STATE")}, ${newPlatformPercent ?? 0}% on the new platform`]];
}

function measured({ measures }: Node): Fact[] {
  if (!measures || measures.calls === 0n) return [["Calls", "none within the window"]];
  const { perSecond, calls, errorShare, p50Ms, p95Ms, p99Ms, reasons } = measures;
  const facts: Fact[] = [
    ["Calls", `${rate(perSecond)}/s (${count(calls)} within the window)`],
    ["Times", `p50 ${milliseconds(p50Ms)}, p95 ${milliseconds(p95Ms)}, p99 ${milliseconds(p99Ms)}`],
    ["Errors", percent(errorShare)],
  ];
  if (reasons.length > 0) facts.push(["Not OK", reasons.map((one) => `${one.reason} ${count(one.calls)}${one.error ? "" : " (no error)"}`).join(", ")]);
  return facts;
}

function counted({ counts }: Node): Fact[] {
  if (!counts) return [];
  const { inFlight, queued, parked, oldestWaiting } = counts;
  const told = [["in flight", inFlight], ["queued", queued], ["parked", parked]] as const;
  const words = told.flatMap(([word, value]) => (value === undefined ? [] : [`${count(value)} ${word}`])).join(", ");
  const facts: Fact[] = words ? [["Now", words]] : [];
  if (oldestWaiting) facts.push(["Oldest waiting", <Time key="t" at={oldestWaiting} />]);
  return facts;
}

function runs(node: Node, { nodes, edges }: Picture): Fact[] {
  if (node.kind !== NodeKind.SYSTEM) return [];
  const instances = [...edges.values()].flatMap((edge) => (edge.kind === EdgeKind.RUNS && edge.fromNode === node.id ? (nodes.get(edge.toNode) ?? []) : []));
  const list = (
    <ul class="govuk-list flush" key="i">
      {instances.map((one) => (
        <li key={one.id}>
          <code>{one.name}</code> <Tag tone={HEALTH[one.health][1]}>{HEALTH[one.health][0]}</Tag> {one.version} {one.replica && "(simulator or copy)"}
        </li>
      ))}
    </ul>
  );
  return [["Instances", instances.length > 0 ? list : `${node.healthyInstances} of ${node.instances} take calls`]];
}

function Onward({ node }: { node: Node }) {
  if (node.kind === NodeKind.INTERFACE) {
    return (
      <>
        <a class="govuk-link" href={addressOf("interfaces", node.name)}>Open the interface</a>
        {node.newPlatformPercent !== undefined && <>, <a class="govuk-link" href={addressOf("parallel", node.name)}>its parallel running</a></>}
        {node.ofMessages && <>, <a class="govuk-link" href={`${addressOf("messages", "", { operation: node.name })}#deliveries`}>its messages</a></>}
      </>
    );
  }
  return <a class="govuk-link" href={addressOf("estate", "", { q: node.label })}>Show only what goes with {node.label}</a>;
}
