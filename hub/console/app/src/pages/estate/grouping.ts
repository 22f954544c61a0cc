/**
 * What is drawn: one box for each node while they are few; when they are many one for each owning system, save for what moves or is not
 * well; never more than can be read. Pure.
 */

import { type Edge, EdgeKind, type Node, NodeHealth, NodeKind } from "@gen/metip/estate/v1/estate_pb";
import { Platform } from "@gen/metip/migration/v1/step_pb";
import { combined, type Figures, figuresOf, worse } from "./figures";
import { failing, moving, type Narrowed } from "./narrowing";

export type Column = "callers" | "interfaces" | "systems";

export interface Box {
  readonly id: string;
  readonly column: Column;
  readonly lane: Platform;
  readonly label: string;
  readonly figures: Figures;
  /** The one node that it stands for; undefined for a group. */
  readonly node: Node | undefined;
  /** How many nodes it stands for. */
  readonly members: number;
  /** The owning system, by which a group is opened. */
  readonly system: string;
}

export interface Link {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly shadow: boolean;
  readonly figures: Figures;
  /** Per cent of an interface's calls by the hub's settings, and as Envoy has it; where calls are shared. */
  readonly weight: number | undefined;
  readonly weightInEnvoy: number | undefined;
}

export interface Drawing {
  readonly boxes: readonly Box[];
  readonly links: readonly Link[];
  /** How many interfaces stand in groups, and how many boxes of each column are left out; the page says so. */
  readonly grouped: number;
  readonly hidden: Readonly<Record<Column | "wires", number>>;
}

/** As many boxes as one can still read in a column. */
export const READABLE = 24;
/** As many wires as one can still follow with the eye; those in trouble, and those of the box that was chosen, always among them. */
export const FOLLOWABLE = 140;

/** A system whose adapter calls others stands on the left for that, and on the right for what it answers. */
export const callerOf = (node: Node | undefined, id: string): string => (node?.kind === NodeKind.SYSTEM ? `calling ${id}` : id);

export function drawing({ nodes, edges }: Narrowed, chosen = ""): Drawing {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const interfaces = nodes.filter(({ kind }) => kind === NodeKind.INTERFACE);
  const many = interfaces.length > READABLE;
  const home = (node: Node) => (many && node.kind === NodeKind.INTERFACE && !standsOut(node) ? `group:${node.system}` : node.id);
  const places = (edge: Edge): [string, string] => {
    const [from, to] = [byId.get(edge.fromNode), byId.get(edge.toNode)];
    const calls = edge.kind === EdgeKind.CALLS;
    return [calls ? callerOf(from, edge.fromNode) : from ? home(from) : edge.fromNode, to ? home(to) : edge.toNode];
  };
  const boxes = new Map<string, Box>();
  for (const node of nodes) {
    const id = home(node);
    boxes.set(id, joined(boxes.get(id), boxOf(id, node)));
  }
  for (const { kind, fromNode, measures } of edges) {
    const from = byId.get(fromNode);
    if (kind !== EdgeKind.CALLS || from?.kind !== NodeKind.SYSTEM) continue;
    const id = callerOf(from, fromNode);
    const figures = combined([boxes.get(id)?.figures, figuresOf({ measures, health: from.health })]);
    boxes.set(id, { ...boxOf(id, from), column: "callers", lane: Platform.UNSPECIFIED, figures });
  }
  const answering = new Set(edges.filter(({ kind }) => kind !== EdgeKind.CALLS).map(({ toNode }) => toNode));
  for (const { id, kind } of nodes) if (kind === NodeKind.SYSTEM && !answering.has(id)) boxes.delete(id);
  const [kept, hidden] = capped([...boxes.values()]);
  const all = linked(edges, places).filter(({ from, to }) => kept.has(from) && kept.has(to));
  const first = ({ from, to, figures }: Link) => (from === chosen || to === chosen ? 3 : figures.errorShare > 0 ? 2 : 1);
  const links = all.toSorted((a, b) => first(b) - first(a) || b.figures.perSecond - a.figures.perSecond).slice(0, FOLLOWABLE);
  const grouped = [...boxes.values()].reduce((sum, box) => sum + (box.node ? 0 : box.members), 0);
  return { boxes: [...kept.values()], links, grouped, hidden: { ...hidden, wires: all.length - links.length } };
}

/** Not by errors, which come and go: boxes would come and go with them while one looks. */
const standsOut = (node: Node): boolean => moving(node) || node.health === NodeHealth.PARTLY || node.health === NodeHealth.DOWN;

function boxOf(id: string, node: Node): Box {
  const column = node.kind === NodeKind.CONSUMER ? "callers" : node.kind === NodeKind.INTERFACE ? "interfaces" : "systems";
  const grouped = id.startsWith("group:");
  const lane = column === "systems" ? node.lane : Platform.UNSPECIFIED;
  return { id, column, lane, label: grouped ? node.system : node.label, figures: figuresOf(node), node: grouped ? undefined : node, members: 1, system: node.system };
}

const joined = (one: Box | undefined, other: Box): Box =>
  one ? { ...one, members: one.members + other.members, figures: combined([one.figures, other.figures]) } : other;

function linked(edges: readonly Edge[], places: (edge: Edge) => [string, string]): readonly Link[] {
  const links = new Map<string, Link>();
  for (const edge of edges) {
    const [from, to] = places(edge);
    const shadow = edge.kind === EdgeKind.SHADOW;
    const id = `${shadow ? "shadow" : "calls"}|${from}|${to}`;
    const was = links.get(id);
    const figures = combined([was?.figures, figuresOf({ measures: edge.measures, health: 0 })]);
    links.set(id, { id, from, to, shadow, figures, ...(was ? NO_WEIGHT : { weight: edge.weightPercent, weightInEnvoy: edge.weightPercentInEnvoy }) });
  }
  return [...links.values()];
}

/** Of several interfaces together no one share is true. */
const NO_WEIGHT = { weight: undefined, weightInEnvoy: undefined };

function capped(boxes: readonly Box[]): [Map<string, Box>, Record<Column, number>] {
  const kept = new Map<string, Box>();
  const hidden = { callers: 0, interfaces: 0, systems: 0 };
  for (const column of ["callers", "interfaces", "systems"] as const) {
    const all = boxes.filter((box) => box.column === column);
    const first = all.toSorted((a, b) => Number(troubled(b)) - Number(troubled(a)) || b.figures.perSecond - a.figures.perSecond || worse(a.id, b.id));
    for (const box of first.slice(0, READABLE)) kept.set(box.id, box);
    hidden[column] = Math.max(0, all.length - READABLE);
  }
  return [kept, hidden];
}

const troubled = ({ node, figures }: Box): boolean => (node ? standsOut(node) || failing(node) : figures.errorShare > 0);
