/** States of deliveries in words and urgency, what a person may do in each, and counts of them; pure. */

import { Decision } from "@gen/metip/exchange/v1/exchange_service_pb";
import { State, type StateCount, type Step } from "@gen/metip/exchange/v1/message_pb";
import type { Tone } from "@/parts/tag";
import { plural } from "@/words/formatting";

interface StateWords {
  readonly word: string;
  readonly tone: Tone;
}

export const STATES: Readonly<Record<State, StateWords>> = {
  [State.UNSPECIFIED]: { word: "unknown", tone: "plain" },
  [State.PENDING]: { word: "queued", tone: "busy" },
  [State.ATTEMPT]: { word: "in flight", tone: "busy" },
  [State.DELIVERED]: { word: "delivered", tone: "good" },
  [State.PROCESSED]: { word: "processed", tone: "good" },
  [State.REFUSED]: { word: "refused", tone: "bad" },
  [State.PARKED]: { word: "parked", tone: "bad" },
  [State.IN_DOUBT]: { word: "in doubt", tone: "warn" },
  [State.EXPIRED]: { word: "expired", tone: "warn" },
  [State.PURGED]: { word: "purged", tone: "plain" },
};

/** States in the order of a delivery's life. */
export const ORDER: readonly State[] = [
  State.PENDING, State.ATTEMPT, State.DELIVERED, State.PROCESSED, State.REFUSED, State.PARKED, State.IN_DOUBT, State.EXPIRED, State.PURGED,
];

export const WAITING: readonly State[] = [State.PARKED, State.IN_DOUBT, State.EXPIRED];

/** A state by the word that an address has it by, such as `pending` or `in-doubt`: those of the command line, metrics and alerts, with `-` or `_`; undefined for what is none. */
export const stateOf = (word: string): State | undefined => ORDER.find((state) => slug(state) === word.toLowerCase().replaceAll("_", "-"));
export const slug = (state: State): string => State[state].toLowerCase().replaceAll("_", "-");

export interface Deed {
  readonly decision: Decision;
  readonly verb: string;
  readonly dangerous?: boolean;
  readonly meaning: string;
}

const PARK: Deed = { decision: Decision.PARK, verb: "Park", meaning: "It is held back until somebody releases it." };
const RELEASE: Deed = { decision: Decision.RELEASE, verb: "Release", meaning: "It is tried again, from its first attempt on." };
const PURGE: Deed = { decision: Decision.PURGE, verb: "Purge", dangerous: true, meaning: "It is taken out for good, undelivered." };
const DONE: Deed = { decision: Decision.DONE, verb: "Settle as done", meaning: "You know that the far system has done it." };
const NOT_DONE: Deed = { decision: Decision.NOT_DONE, verb: "Settle as not done", meaning: "You know that the far system has not done it and will not." };

/** What a person may do with a delivery. */
export function deedsOf(state: State): readonly Deed[] {
  if (state === State.PENDING) return [PARK, PURGE];
  if (state === State.IN_DOUBT) return [DONE, NOT_DONE, RELEASE, PURGE];
  return state === State.PARKED || state === State.EXPIRED ? [RELEASE, PURGE] : [];
}

export const numberOf = (counts: readonly StateCount[], ...states: readonly State[]): number =>
  counts.filter((one) => states.includes(one.state)).reduce((sum, one) => sum + Number(one.deliveries), 0);

export const total = (counts: readonly StateCount[]): number => numberOf(counts, ...ORDER);

/** `12 parked, 3 in doubt`. */
export const inWords = (counts: readonly StateCount[]): string =>
  ORDER.filter((state) => numberOf(counts, state) > 0).map((state) => `${numberOf(counts, state)} ${STATES[state].word}`).join(", ");

/** What a step was, in a few words: an attempt and its answer, an acknowledgement, or a person's move. */
export function stepWords({ attempt, began, state, status, by }: Step): string {
  if (attempt > 0 && began) return `Attempt ${attempt}: ${status || "no answer"}`;
  if (state === State.PROCESSED || state === State.REFUSED) return `The far system says: ${STATES[state].word}`;
  const what = state === State.PENDING ? "released" : STATES[state].word;
  return by && by !== "exchange" ? `${what}, by ${by}` : what;
}

export const deliveries = (number: number): string => plural(number, "delivery", "deliveries");
