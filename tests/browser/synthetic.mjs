/**
 * A large estate that nobody has: the built site, and an EstateService that tells of 200 interfaces at 1,000 calls a second. It is for
 * measuring how the browser copes (`bench.mjs`); everything else is tested against the real mesh.
 */

import { createServer } from "node:http";
import { readFileSync, existsSync } from "node:fs";
import { extname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { connectNodeAdapter } from "@connectrpc/connect-node";

const CONSOLE = join(import.meta.dirname, "..", "..", "hub", "console");
const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";
const [CONSUMER, INTERFACE, SYSTEM] = [1, 2, 3];
const [CALLS, ANSWERS, SHADOW] = [1, 2, 4];

/** Starts on a free port; gives the address and what closes it. */
export async function synthetic({ interfaces = 200, systems = 40, consumers = 25, perSecond = 1000 } = {}) {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(CONSOLE, "app", "gen", "shapes.binpb"))));
  const estate = registry.getService("metip.estate.v1.EstateService");
  const routes = (router) => router.service(estate, { watchEstate: (asked) => told(asked, { interfaces, systems, consumers, perSecond }) });
  const server = createServer(connectNodeAdapter({ routes, fallback: file }));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => (server.closeAllConnections(), server.close()) };
}

function file(request, response) {
  const asked = join(CONSOLE, "site", new URL(request.url, "http://site").pathname);
  const found = extname(asked) in KINDS && existsSync(asked) ? asked : join(CONSOLE, "site", "index.html");
  response.writeHead(200, { "content-type": KINDS[extname(found)], "content-security-policy": POLICY });
  response.end(readFileSync(found));
}

async function* told({ rows, withoutMap }, size) {
  for (let turn = 0; ; turn += 1) {
    const at = { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 };
    const map = withoutMap ? { nodes: [], edges: [] } : drawn(size, turn);
    const table = rows.length > 0 ? listed(size, turn) : [];
    const total = measures(size.perSecond, turn);
    yield { whole: turn === 0, estate: { at, window: { seconds: 60n, nanos: 0 }, total, counts: counts(turn), rows: table, ...map }, gone: [] };
    await wait(1000);
  }
}

/** Different from one second to the next, the same in every run. */
const swing = (seed, turn) => 0.75 + 0.5 * Math.abs(Math.sin(seed * 12.9898 + turn * 0.7));
const measures = (perSecond, turn, seed = 1) => ({
  perSecond: perSecond * swing(seed, turn),
  calls: BigInt(Math.round(perSecond * 60)),
  errorShare: seed % 17 === 0 ? 0.03 : 0,
  p50Ms: 4 * swing(seed, turn),
  p95Ms: 12 * swing(seed, turn),
  p99Ms: 30 * swing(seed, turn),
});
const counts = (turn) => ({ received: BigInt(60_000 + turn), inFlight: BigInt(turn % 9), queued: 0n, parked: 3n, failed: 12n });

const systemOf = (number, { systems }) => `system${String(number % systems).padStart(2, "0")}`;
const nameOf = (number, size) => `metip.${systemOf(number, size)}.v1.Synthetic${number}Service`;

function drawn(size, turn) {
  const nodes = [];
  const edges = [];
  const each = size.perSecond / size.interfaces;
  for (let n = 0; n < size.consumers; n += 1) {
    nodes.push({ id: `consumer:c${n}`, kind: CONSUMER, name: `spiffe://metip.test/consumer/c${n}`, label: `consumer-${n}`, measures: measures(size.perSecond / size.consumers, turn, n) });
  }
  for (let n = 0; n < size.systems; n += 1) {
    const system = systemOf(n, size);
    nodes.push({ id: `system:${system}`, kind: SYSTEM, name: system, label: system, system, health: n % 13 === 12 ? 2 : 1, lane: n === 1 ? 1 : 2, measures: measures(5, turn, n), instances: 2, healthyInstances: 2 });
  }
  for (let n = 0; n < size.interfaces; n += 1) {
    const name = nameOf(n, size);
    const system = systemOf(n, size);
    nodes.push({ id: `interface:${name}`, kind: INTERFACE, name, label: `Synthetic${n}Service`, system, health: 1, measures: measures(each, turn, n), counts: counts(turn), ...(n % 25 === 0 ? { migration: 3, newPlatformPercent: 25 } : {}) });
    edges.push({ id: `a${n}`, kind: ANSWERS, fromNode: `interface:${name}`, toNode: `system:${system}`, measures: measures(each, turn, n) });
    if (n % 25 === 0) edges.push({ id: `s${n}`, kind: SHADOW, fromNode: `interface:${name}`, toNode: "system:system01", measures: measures(each / 10, turn, n) });
    for (let c = 0; c < 3; c += 1) {
      edges.push({ id: `c${n}-${c}`, kind: CALLS, fromNode: `consumer:c${(n * 7 + c * 3) % size.consumers}`, toNode: `interface:${name}`, measures: measures(each / 3, turn, n + c) });
    }
  }
  return { nodes, edges };
}

const listed = (size, turn) =>
  Array.from({ length: size.interfaces }, (_, n) => ({
    id: `interface:${nameOf(n, size)}`,
    by: 1,
    name: nameOf(n, size),
    system: systemOf(n, size),
    health: 1,
    measures: measures(size.perSecond / size.interfaces, turn, n),
    counts: counts(turn),
  }));
