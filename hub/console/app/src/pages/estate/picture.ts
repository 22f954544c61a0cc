/** The estate as the stream has told it so far: nodes, edges and rows by id, each replaced by what comes with the same one; pure. */

import type { Edge, Estate, Node, Row } from "@gen/metip/estate/v1/estate_pb";
import type { WatchEstateResponse } from "@gen/metip/estate/v1/estate_service_pb";

export interface Picture {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly edges: ReadonlyMap<string, Edge>;
  readonly rows: ReadonlyMap<string, Row>;
  /** What is always told whole: sources, totals, the window. */
  readonly head: Estate | undefined;
}

const NOTHING: Picture = { nodes: new Map(), edges: new Map(), rows: new Map(), head: undefined };

export function folded(was: Picture | undefined, { whole, estate, gone }: WatchEstateResponse): Picture {
  const before = whole || !was ? NOTHING : was;
  return {
    nodes: replaced(before.nodes, estate?.nodes ?? [], gone),
    edges: replaced(before.edges, estate?.edges ?? [], gone),
    rows: replaced(before.rows, estate?.rows ?? [], gone),
    head: estate ?? before.head,
  };
}

function replaced<T extends { readonly id: string }>(before: ReadonlyMap<string, T>, came: readonly T[], gone: readonly string[]): ReadonlyMap<string, T> {
  if (came.length === 0 && gone.length === 0) return before;
  const after = new Map(before);
  for (const id of gone) after.delete(id);
  for (const one of came) after.set(one.id, one);
  return after;
}
