/** What a change or an Envoy's state is called, and how urgent it is; pure. */

import { type Change, ChangeOutcome, type ConnectedEnvoy } from "@gen/metip/hub/v1/mesh_service_pb";
import type { Tone } from "@/parts/tag";

export interface Standing {
  readonly word: string;
  readonly tone: Tone;
  readonly meaning: string;
}

export const OUTCOMES: Readonly<Record<ChangeOutcome, Standing>> = {
  [ChangeOutcome.UNSPECIFIED]: { word: "unknown", tone: "plain", meaning: "The hub did not say how it ended." },
  [ChangeOutcome.ACCEPTED]: { word: "ACK", tone: "good", meaning: "Every connected Envoy holds it." },
  [ChangeOutcome.REFUSED]: { word: "refused by the hub", tone: "bad", meaning: "It contradicts itself; no Envoy has seen it." },
  [ChangeOutcome.REJECTED]: { word: "NACK", tone: "bad", meaning: "An Envoy would not take it; the configuration before it is back in force." },
  [ChangeOutcome.UNANSWERED]: { word: "unanswered", tone: "warn", meaning: "It stands, but an Envoy did not answer in time." },
};

export const refused = ({ outcome }: Change): boolean => outcome === ChangeOutcome.REFUSED || outcome === ChangeOutcome.REJECTED;

export function envoyState({ accepted, lastRefusal }: ConnectedEnvoy): Standing {
  if (Object.keys(accepted).length === 0) return { word: "no answer yet", tone: "warn", meaning: "It has acknowledged nothing since it connected." };
  if (lastRefusal) return { word: "ACK after a NACK", tone: "warn", meaning: "It refused a change since it connected, and holds the one before." };
  return { word: "ACK", tone: "good", meaning: "It holds what the hub sent." };
}

export interface Resource {
  readonly mark: "added" | "changed" | "removed";
  readonly kind: string;
  readonly name: string;
}

const MARKS = { "+": "added", "~": "changed", "-": "removed" } as const;

/** `~route edge` → what happened, to which kind, by which name. */
export function resourceOf(text: string): Resource {
  const [kind = "", ...name] = text.slice(1).split(" ");
  return { mark: MARKS[text[0] as keyof typeof MARKS] ?? "changed", kind, name: name.join(" ") };
}

/** `+2 ~1 -3 (route, cluster)`. */
export function summary(resources: readonly Resource[]): string {
  if (resources.length === 0) return "no resource";
  const parts = Object.entries(MARKS).map(([sign, mark]) => [sign, resources.filter((one) => one.mark === mark).length] as const);
  const kinds = [...new Set(resources.map((one) => one.kind))].toSorted().join(", ");
  return `${parts.filter(([, number]) => number > 0).map(([sign, number]) => `${sign}${number}`).join(" ")} (${kinds})`;
}
