/** Where an interface stands between the platforms, what steps were, and what findings mean, in words; pure. */

import { type Position, State, type Step, StepKind, StepPhase } from "@gen/metip/migration/v1/step_pb";
import { Finding } from "@gen/metip/parity/v1/verdict_pb";
import type { Tone } from "@/parts/tag";

interface Words {
  readonly word: string;
  readonly tone: Tone;
  readonly meaning: string;
}

export const STATES: Readonly<Record<State, Words>> = {
  [State.UNSPECIFIED]: { word: "unknown", tone: "plain", meaning: "The hub did not say." },
  [State.LEGACY]: { word: "legacy", tone: "plain", meaning: "The old platform answers all calls." },
  [State.SHADOW]: { word: "shadow", tone: "busy", meaning: "The old platform answers; sampled queries are asked of the new one too, and compared." },
  [State.CANARY]: { word: "canary", tone: "warn", meaning: "The new platform answers a share of calls, the old one the rest; compared." },
  [State.PRIMARY]: { word: "primary", tone: "good", meaning: "The new platform answers; sampled queries are asked of the old one too, and compared." },
  [State.NEW]: { word: "new", tone: "good", meaning: "The new platform answers all calls; the old one is not asked." },
};

/** The way from the old platform to the new one. */
export const WAY: readonly State[] = [State.LEGACY, State.SHADOW, State.CANARY, State.PRIMARY, State.NEW];

/** `canary 10%`, `shadow`. */
export const positionWords = (at: Position | undefined): string =>
  at ? `${STATES[at.state].word}${at.state === State.CANARY ? ` ${at.percent}%` : ""}` : "the end of the way";

const KINDS: Readonly<Record<StepKind, string>> = {
  [StepKind.UNSPECIFIED]: "a step",
  [StepKind.FORWARD]: "forward",
  [StepKind.OVERRIDE]: "forward, in an emergency",
  [StepKind.BACK]: "back",
  [StepKind.BREACH]: "back by itself, since a bar was breached",
  [StepKind.EXPIRED]: "back by itself, since its time was over",
  [StepKind.PIN]: "a consumer was tied",
  [StepKind.UNPIN]: "a consumer was let go",
};

const PHASES: Readonly<Record<StepPhase, string>> = {
  [StepPhase.UNSPECIFIED]: "",
  [StepPhase.INTENDED]: "not recorded yet",
  [StepPhase.RECORDED]: "not in force yet",
  [StepPhase.APPLIED]: "",
  [StepPhase.REFUSED]: "not made",
  [StepPhase.UNDONE]: "taken back after a restart",
};

/** `shadow → canary 10%, forward`. */
export function stepWords({ kind, phase, moves }: Step, name: string): string {
  const move = moves.find((one) => one.interface === name) ?? moves[0];
  const way = move ? `${positionWords(move.before)} → ${positionWords(move.after)}, ` : "";
  const late = PHASES[phase];
  return `${way}${KINDS[kind]}${late ? ` (${late})` : ""}`;
}

export const wentWrong = ({ kind, phase }: Step): boolean =>
  kind === StepKind.BREACH || phase === StepPhase.REFUSED || phase === StepPhase.UNDONE;

export const FINDINGS: Readonly<Record<Finding, Words>> = {
  [Finding.UNSPECIFIED]: { word: "unknown", tone: "plain", meaning: "" },
  [Finding.DIFFERENCE]: { word: "difference", tone: "bad", meaning: "Significantly more than noise: somebody must look at it." },
  [Finding.UNPROVED]: { word: "unproved", tone: "warn", meaning: "Seen too rarely to be told from noise; it counts as a difference." },
  [Finding.ACCEPTED]: { word: "accepted", tone: "plain", meaning: "Accepted by somebody, with a reason." },
  [Finding.NOISE]: { word: "noise", tone: "good", meaning: "No more than the primary differs from itself." },
};

/** A share as bars are written, in hundredths of a per cent and never rounded up: 98.999% does not pass 99%. */
export const floored = (share: number): string => `${Math.floor(share * 10_000 + 1e-6) / 100}%`;

/** Agreement with its lower bound: what counts is the bound. */
export const parityWords = (compared: bigint, parity: number, lower: number): string =>
  compared === 0n ? "nothing compared" : `${floored(parity)} (at least ${floored(lower)})`;
