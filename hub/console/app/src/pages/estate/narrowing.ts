/** Filter first, draw after: which interfaces are wanted, with who calls them and what answers; pure. */

import { type Edge, EdgeKind, type Measures, type Node, NodeHealth, NodeKind, type StateCounts } from "@gen/metip/estate/v1/estate_pb";
import { State } from "@gen/metip/migration/v1/step_pb";
import { matches } from "@/parts/filter-box";
import type { Picture } from "./picture";

export type Wanted = "all" | "active" | "failing" | "moving";

export interface Filter {
  readonly text: string;
  readonly wanted: Wanted;
  /** One owning system; empty for all. */
  readonly system: string;
}

export interface Narrowed {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

interface Live {
  readonly measures?: Measures | undefined;
  readonly counts?: StateCounts | undefined;
  readonly health: NodeHealth;
}

/** A call within the window, one in flight, or something that waits. */
export const active = ({ measures, counts }: Live): boolean =>
  (measures?.calls ?? 0n) > 0n || (counts?.inFlight ?? 0n) + (counts?.queued ?? 0n) + (counts?.parked ?? 0n) > 0n;

export const failing = ({ measures, counts, health }: Live): boolean =>
  (measures?.errorShare ?? 0) > 0 || (counts?.parked ?? 0n) > 0n || health === NodeHealth.PARTLY || health === NodeHealth.DOWN;

/** Between the platforms: both are asked, for whichever reason. */
export const moving = ({ migration }: { readonly migration: State }): boolean =>
  migration === State.SHADOW || migration === State.CANARY || migration === State.PRIMARY;

const TESTS: Readonly<Record<Wanted, (node: Node) => boolean>> = { all: () => true, active, failing, moving };

/** Text finds an interface by its own name, or by that of whoever calls or answers it; the rest of the filter looks at the interface. */
export function narrowed({ nodes, edges }: Picture, { text, wanted, system }: Filter): Narrowed {
  const drawn = [...edges.values()].filter(({ kind }) => kind !== EdgeKind.RUNS);
  const test = TESTS[wanted];
  const around = text ? namedAround(nodes, drawn, text) : undefined;
  const kept = new Set<string>();
  for (const node of nodes.values()) {
    if (node.kind !== NodeKind.INTERFACE || !test(node) || (system && node.system !== system)) continue;
    if (!around || around.has(node.id) || matches(text, node.name, node.label, node.system)) kept.add(node.id);
  }
  const edgesKept = drawn.filter(({ fromNode, toNode }) => kept.has(fromNode) || kept.has(toNode));
  const shown = new Set([...kept, ...edgesKept.flatMap(({ fromNode, toNode }) => [fromNode, toNode])]);
  return { nodes: [...nodes.values()].filter(({ id }) => shown.has(id)), edges: edgesKept };
}

/** Interfaces that are called or answered by something with such a name. */
function namedAround(nodes: Picture["nodes"], edges: readonly Edge[], text: string): ReadonlySet<string> {
  const named = (id: string) => {
    const node = nodes.get(id);
    return node !== undefined && node.kind !== NodeKind.INTERFACE && matches(text, node.name, node.label);
  };
  return new Set(edges.flatMap(({ fromNode, toNode }) => (named(fromNode) ? [toNode] : named(toNode) ? [fromNode] : [])));
}
