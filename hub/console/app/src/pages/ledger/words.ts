/** Purposes, kinds and outcomes of records in words, and whether the ledger is well; pure. */

import type { GetStatusResponse } from "@gen/metip/ledger/v1/ledger_service_pb";
import { type Line, Sealing } from "@gen/metip/ledger/v1/query_pb";
import { Kind } from "@gen/metip/ledger/v1/record_pb";
import { Purpose } from "@gen/metip/options/v1/options_pb";
import type { Tone } from "@/parts/tag";
import { count, span } from "@/words/formatting";

type Option = readonly [value: string, words: string];

const inWords = (name: string): string => name.charAt(0) + name.slice(1).toLowerCase().replaceAll("_", " ");

/** Names of an enum as choices, `Any` first. */
function options(words: Readonly<Record<number, string>>): readonly Option[] {
  const named = Object.values(words).filter((name) => name !== "UNSPECIFIED");
  return [["", "Any"], ...named.map((name) => [name, inWords(name)] as const)];
}

const namesOf = (numbers: Readonly<Record<string, string | number>>): Record<number, string> =>
  Object.fromEntries(Object.entries(numbers).filter(([, name]) => typeof name === "string")) as Record<number, string>;

export const PURPOSES = options(namesOf(Purpose));
export const KINDS = options(namesOf(Kind));

export const purposeOf = (name: string): Purpose => Purpose[name as keyof typeof Purpose] ?? Purpose.UNSPECIFIED;
export const kindOf = (name: string): Kind => Kind[name as keyof typeof Kind] ?? Kind.UNSPECIFIED;

export const purposeWords = (purpose: Purpose): string => (purpose === Purpose.UNSPECIFIED ? "–" : inWords(Purpose[purpose] ?? "unknown"));

export const SEALED: Readonly<Record<Sealing, string>> = {
  [Sealing.UNSPECIFIED]: "none",
  [Sealing.SEALED]: "sealed",
  [Sealing.ERASED]: "erased, since their time was over",
  [Sealing.UNREADABLE]: "sealed under a key that is not known here",
};

/** How a record is marked: what went well is not. */
export function toneOf({ record }: Line): Tone | undefined {
  if (record?.kind === Kind.REFUSAL) return "bad";
  return record && record.outcome !== "OK" && record.outcome !== "CLEAN" && record.outcome !== "" ? "warn" : undefined;
}

interface Verdict {
  readonly tone: Tone;
  readonly word: string;
}

/** Whether each answered call has its record; one that has none is the only bad number. */
export function reconciled({ reconciliation }: GetStatusResponse): Verdict {
  if (!reconciliation) return { tone: "plain", word: "the edge keeps no log" };
  const { missing, answered } = reconciliation;
  return missing === 0n ? { tone: "good", word: `0 missing of ${count(answered)}` } : { tone: "bad", word: `${count(missing)} missing of ${count(answered)}` };
}

export function witnessed({ witness, size }: GetStatusResponse): Verdict {
  if (!witness) return { tone: "plain", word: "no witness" };
  if (witness.problem && !witness.healthy) return { tone: "bad", word: witness.problem };
  return { tone: witness.healthy ? "good" : "warn", word: witness.size === size ? "all co-signed" : `${count(witness.size)} co-signed, ${span(witness.lagSeconds)} behind` };
}

/** Whether every journal follows without a gap. */
export function whole({ journals }: GetStatusResponse): Verdict {
  const gaps = journals.filter((one) => one.gap !== "");
  return gaps.length === 0 ? { tone: "good", word: `${journals.length} without a gap` } : { tone: "bad", word: `${gaps.map((one) => one.name).join(", ")} has a gap` };
}
