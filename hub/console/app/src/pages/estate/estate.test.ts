import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { EdgeKind, EdgeSchema, NodeHealth, NodeKind, NodeSchema } from "@gen/metip/estate/v1/estate_pb";
import { WatchEstateResponseSchema } from "@gen/metip/estate/v1/estate_service_pb";
import { Platform, State } from "@gen/metip/migration/v1/step_pb";
import { describe, expect, test } from "vitest";
import { combined, figuresOf, inWords } from "./figures";
import { drawing, FOLLOWABLE, READABLE } from "./grouping";
import { BOX, layout } from "./layout";
import { narrowed, type Wanted } from "./narrowing";
import { folded, type Picture } from "./picture";

type NodeInit = MessageInitShape<typeof NodeSchema>;
const consumer = (name: string): NodeInit => ({ id: `consumer:${name}`, kind: NodeKind.CONSUMER, name, label: name });
const interfaceOf = (name: string, system: string, more: NodeInit = {}): NodeInit => ({ id: `interface:${name}`, kind: NodeKind.INTERFACE, name, label: name, system, ...more });
const systemOf = (name: string, lane = Platform.UNSPECIFIED): NodeInit => ({ id: `system:${name}`, kind: NodeKind.SYSTEM, name, label: name, system: name, lane });
const edge = (kind: EdgeKind, fromNode: string, toNode: string, perSecond = 1) => ({ id: `${kind}|${fromNode}|${toNode}`, kind, fromNode, toNode, measures: { perSecond, calls: 60n } });

function picture(nodes: NodeInit[], edges: ReturnType<typeof edge>[]): Picture {
  return folded(undefined, create(WatchEstateResponseSchema, { whole: true, estate: { nodes, edges } }));
}

const SMALL = picture(
  [consumer("tablet"), consumer("portal"), interfaceOf("Person", "alder", { newPlatformPercent: 25, migration: State.CANARY }), interfaceOf("Crime", "birch"), systemOf("alder", Platform.METIP2), systemOf("old", Platform.METIP), systemOf("birch", Platform.METIP2)],
  [
    edge(EdgeKind.CALLS, "consumer:tablet", "interface:Person"),
    edge(EdgeKind.CALLS, "consumer:portal", "interface:Crime"),
    edge(EdgeKind.CALLS, "system:birch", "interface:Person"),
    edge(EdgeKind.ANSWERS, "interface:Person", "system:alder"),
    edge(EdgeKind.SHADOW, "interface:Person", "system:old"),
    edge(EdgeKind.ANSWERS, "interface:Crime", "system:birch"),
  ],
);
const found = (text: string, wanted: Wanted = "all", system = "") => narrowed(SMALL, { text, wanted, system }).nodes.map(({ id }) => id).toSorted();

describe("the stream is folded by id", () => {
  test("what comes replaces, what is gone goes, the rest stays", () => {
    const later = folded(SMALL, create(WatchEstateResponseSchema, { estate: { nodes: [consumer("new")] }, gone: ["consumer:tablet"] }));
    expect([later.nodes.has("consumer:new"), later.nodes.has("consumer:tablet"), later.nodes.size, later.edges]).toEqual([true, false, 7, SMALL.edges]);
  });
  test("a whole one forgets what was before", () => {
    expect(folded(SMALL, create(WatchEstateResponseSchema, { whole: true, estate: {} })).nodes.size).toBe(0);
  });
});

describe("filter first", () => {
  test("an interface comes with who calls and who answers it", () => expect(found("crime")).toEqual(["consumer:portal", "interface:Crime", "system:birch"]));
  test("a consumer comes with what it calls", () => expect(found("tablet")).toContain("interface:Person"));
  test("only what is moving", () => expect(found("", "moving")).not.toContain("interface:Crime"));
  test("only one system's interfaces", () => expect(found("", "all", "birch")).not.toContain("interface:Person"));
  test("nothing is like that", () => expect(found("nothing like it")).toEqual([]));
});

describe("draw after", () => {
  test("a system that calls others stands left for that and right for what it answers", () => {
    const columns = drawing(narrowed(SMALL, { text: "", wanted: "all", system: "" })).boxes.filter(({ label }) => label === "birch").map(({ column }) => column);
    expect(columns.toSorted()).toEqual(["callers", "systems"]);
  });

  test("platforms have lanes of their own, and the old one is below", () => {
    const { lanes, boxes } = layout(drawing(narrowed(SMALL, { text: "", wanted: "all", system: "" })));
    expect(lanes.map(({ platform }) => platform)).toEqual([Platform.METIP2, Platform.METIP]);
    expect(lanes[0]!.y + lanes[0]!.height).toBeLessThanOrEqual(lanes[1]!.y);
    const old = boxes.find(({ id }) => id === "system:old")!;
    expect(old.y).toBeGreaterThan(lanes[1]!.y);
    expect(old.y + BOX.height).toBeLessThan(lanes[1]!.y + lanes[1]!.height);
  });

  test("a shadow is drawn as one", () => {
    expect(layout(drawing(narrowed(SMALL, { text: "", wanted: "all", system: "" }))).wires.filter(({ shadow }) => shadow)).toHaveLength(1);
  });

  const many = Array.from({ length: 200 }, (_, n) => interfaceOf(`I${n}`, `s${n % 40}`));
  const large = picture(
    [...many, ...Array.from({ length: 40 }, (_, n) => consumer(`c${n}`))],
    many.flatMap(({ id }, n) => [0, 1, 2, 3].map((c) => edge(EdgeKind.CALLS, `consumer:c${(n + c * 11) % 40}`, id!, n))),
  );

  test("many interfaces are drawn by system, no more than can be read, and what is left out is counted", () => {
    const { boxes, links, grouped, hidden } = drawing(narrowed(large, { text: "", wanted: "all", system: "" }));
    const groups = boxes.filter(({ column }) => column === "interfaces");
    expect([groups.length, grouped, hidden.interfaces, hidden.callers]).toEqual([READABLE, 200, 40 - READABLE, 40 - READABLE]);
    expect(links.length).toBeLessThanOrEqual(FOLLOWABLE);
    expect(groups[0]!.members).toBe(5);
    const moved = picture([...many, interfaceOf("Moved", "s1", { migration: State.SHADOW })], []);
    expect(drawing(narrowed(moved, { text: "", wanted: "all", system: "" })).boxes.map(({ label }) => label)).toContain("Moved");
  });

  test("no two boxes overlap", () => {
    const { boxes, height } = layout(drawing(narrowed(large, { text: "", wanted: "all", system: "" })));
    for (const one of boxes) {
      expect(one.y).toBeGreaterThanOrEqual(0);
      expect(one.y + BOX.height).toBeLessThanOrEqual(height);
      for (const other of boxes) if (one !== other && one.x === other.x) expect(Math.abs(one.y - other.y)).toBeGreaterThanOrEqual(BOX.height);
    }
  });

  test("rates move nothing about", () => {
    const places = (rates: number) =>
      layout(drawing(narrowed(picture([...SMALL.nodes.values()], [...SMALL.edges.values()].map((one) => edge(one.kind, one.fromNode, one.toNode, rates))), { text: "", wanted: "all", system: "" }))).boxes.map(({ id, y }) => [id, y]).toSorted();
    expect(places(1)).toEqual(places(500));
  });
});

describe("several together", () => {
  const one = figuresOf({ measures: create(NodeSchema, { measures: { perSecond: 30, errorShare: 0.1, p99Ms: 5 } }).measures, health: NodeHealth.WELL });
  const other = figuresOf({ measures: create(NodeSchema, { measures: { perSecond: 10, errorShare: 0.5, p99Ms: 50 } }).measures, health: NodeHealth.DOWN });
  test("rates add up, errors are weighed, the slowest and the worst are told", () => {
    expect(combined([one, undefined, other])).toMatchObject({ perSecond: 40, errorShare: 0.2, p99: 50, health: NodeHealth.DOWN });
  });
  test("in words", () => expect(inWords(combined([one, other]))).toBe("40/s · p99 50 ms · 20% errors"));
});

test("an edge without its node is no wire", () => {
  const torn = picture([interfaceOf("A", "a")], [edge(EdgeKind.CALLS, "consumer:gone", "interface:A")]);
  expect(layout(drawing(narrowed(torn, { text: "", wanted: "all", system: "" }))).wires).toEqual([]);
  expect(create(EdgeSchema).id).toBe("");
});
