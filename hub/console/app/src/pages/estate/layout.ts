/**
 * Where everything stands on the map: callers left, interfaces in the middle, systems right, the old platform's in a lane of their own; pure.
 * The order follows from who is tied to whom and never from rates, so that nothing jumps about while one looks.
 */

import { Platform } from "@gen/metip/migration/v1/step_pb";
import type { Box, Column, Drawing, Link } from "./grouping";

export const BOX = { width: 250, height: 44, pitch: 54 } as const;
export const WIDTH = 1280;
const LEFT: Readonly<Record<Column, number>> = { callers: 10, interfaces: 515, systems: 1020 };
const TOP = 34;
const LANE_GAP = 46;

export interface Placed extends Box {
  readonly x: number;
  readonly y: number;
}

export interface Wire extends Link {
  readonly path: string;
  /** Where a label stands, near its end. */
  readonly label: readonly [x: number, y: number];
}

export interface Lane {
  readonly platform: Platform;
  readonly y: number;
  readonly height: number;
}

export interface Layout {
  readonly boxes: readonly Placed[];
  readonly wires: readonly Wire[];
  readonly lanes: readonly Lane[];
  readonly height: number;
}

const LANES = [Platform.METIP2, Platform.UNSPECIFIED, Platform.METIP] as const;

export function layout({ boxes, links }: Drawing): Layout {
  const column = (name: Column) => boxes.filter((box) => box.column === name);
  const tied = ties(links);
  let interfaces = column("interfaces").toSorted((a, b) => compare(a.system, b.system) || compare(a.label, b.label) || compare(a.id, b.id));
  let systems = inLanes(column("systems"), tied, ranks(interfaces));
  interfaces = byNeighbours(interfaces, tied, ranks(systems));
  systems = inLanes(systems, tied, ranks(interfaces));
  const callers = byNeighbours(column("callers"), tied, ranks(interfaces));
  const split = systems.some((box) => box.lane !== Platform.UNSPECIFIED);
  const gaps = split ? LANES.filter((lane) => systems.some((box) => box.lane === lane)).length : 0;
  const height = TOP + Math.max(callers.length, interfaces.length, systems.length) * BOX.pitch + gaps * LANE_GAP + 10;
  const placed = [...spread(callers, height), ...spread(interfaces, height), ...stacked(systems, split)];
  const at = new Map(placed.map((box) => [box.id, box]));
  return { boxes: placed, wires: links.flatMap((link) => wire(link, at)), lanes: split ? bands(placed) : [], height };
}

type Ties = ReadonlyMap<string, readonly string[]>;
type Ranks = ReadonlyMap<string, number>;

function ties(links: readonly Link[]): Ties {
  const found = new Map<string, string[]>();
  for (const { from, to } of links) {
    found.set(from, [...(found.get(from) ?? []), to]);
    found.set(to, [...(found.get(to) ?? []), from]);
  }
  return found;
}

const ranks = (boxes: readonly Box[]): Ranks => new Map(boxes.map((box, place) => [box.id, place / Math.max(1, boxes.length)]));
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Ordered by the mean place of what each is tied to, which keeps wires from crossing; ties without a place count in the middle. */
function byNeighbours(boxes: readonly Box[], tied: Ties, rank: Ranks): Box[] {
  const mean = (box: Box) => {
    const places = (tied.get(box.id) ?? []).flatMap((id) => rank.get(id) ?? []);
    return places.length > 0 ? places.reduce((sum, place) => sum + place, 0) / places.length : 0.5;
  };
  const means = new Map(boxes.map((box) => [box.id, mean(box)]));
  return boxes.toSorted((a, b) => (means.get(a.id) ?? 0) - (means.get(b.id) ?? 0) || compare(a.label, b.label) || compare(a.id, b.id));
}

const inLanes = (boxes: readonly Box[], tied: Ties, rank: Ranks): Box[] =>
  LANES.flatMap((lane) => byNeighbours(boxes.filter((box) => box.lane === lane), tied, rank));

function spread(boxes: readonly Box[], height: number): Placed[] {
  const pitch = Math.max(BOX.pitch, (height - TOP) / (boxes.length + 1));
  const first = TOP + (height - TOP - pitch * boxes.length) / 2 + (pitch - BOX.height) / 2;
  return boxes.map((box, place) => ({ ...box, x: LEFT[box.column], y: Math.round(first + place * pitch) }));
}

function stacked(systems: readonly Box[], split: boolean): Placed[] {
  let y = TOP;
  let lane: Platform | undefined;
  return systems.map((box) => {
    if (split && box.lane !== lane) y += LANE_GAP - (lane === undefined ? 16 : 0);
    lane = box.lane;
    const placed = { ...box, x: LEFT.systems, y };
    y += BOX.pitch;
    return placed;
  });
}

function bands(placed: readonly Placed[]): Lane[] {
  return LANES.flatMap((platform) => {
    const inside = placed.filter((box) => box.column === "systems" && box.lane === platform);
    if (inside.length === 0 || platform === Platform.UNSPECIFIED) return [];
    const [top, bottom] = [Math.min(...inside.map((box) => box.y)), Math.max(...inside.map((box) => box.y))];
    return [{ platform, y: top - 28, height: bottom - top + BOX.height + 36 }];
  });
}

function wire(link: Link, at: ReadonlyMap<string, Placed>): Wire[] {
  const [from, to] = [at.get(link.from), at.get(link.to)];
  if (!from || !to) return [];
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  const bend = (x2 - x1) / 2;
  const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  return [{ ...link, path, label: [x2 - 44, y2 + (y1 - y2) * 0.04 - 5] }];
}
