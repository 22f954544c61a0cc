/** Rate, errors and times of one thing or of several together; pure. */

import { type Measures, NodeHealth } from "@gen/metip/estate/v1/estate_pb";
import { milliseconds, percent, rate } from "@/words/formatting";
import type { Tone } from "@/parts/tag";

export interface Figures {
  readonly perSecond: number;
  /** 0 to 1. */
  readonly errorShare: number;
  readonly p50: number;
  /** Of several together the slowest one's. */
  readonly p99: number;
  readonly health: NodeHealth;
}

export const NONE: Figures = { perSecond: 0, errorShare: 0, p50: 0, p99: 0, health: NodeHealth.UNSPECIFIED };

export const figuresOf = ({ measures, health }: { measures?: Measures | undefined; health: NodeHealth }): Figures => ({
  perSecond: measures?.perSecond ?? 0,
  errorShare: measures?.errorShare ?? 0,
  p50: measures?.p50Ms ?? 0,
  p99: measures?.p99Ms ?? 0,
  health,
});

/** The worst first, by how much somebody must look at it. */
const URGENCY: readonly NodeHealth[] = [NodeHealth.DOWN, NodeHealth.PARTLY, NodeHealth.STOPPED, NodeHealth.WELL, NodeHealth.UNSPECIFIED];

export function combined(all: readonly (Figures | undefined)[]): Figures {
  const told = all.filter((one) => one !== undefined);
  const perSecond = told.reduce((sum, one) => sum + one.perSecond, 0);
  const errors = told.reduce((sum, one) => sum + one.perSecond * one.errorShare, 0);
  return {
    perSecond,
    errorShare: perSecond > 0 ? errors / perSecond : 0,
    p50: Math.max(0, ...told.map((one) => one.p50)),
    p99: Math.max(0, ...told.map((one) => one.p99)),
    health: URGENCY.find((health) => told.some((one) => one.health === health)) ?? NodeHealth.UNSPECIFIED,
  };
}

export const worse = (a: string, b: string): number => a.localeCompare(b, "en-GB");

export const HEALTH: Readonly<Record<NodeHealth, readonly [word: string, tone: Tone]>> = {
  [NodeHealth.UNSPECIFIED]: ["unknown", "plain"],
  [NodeHealth.WELL]: ["well", "good"],
  [NodeHealth.PARTLY]: ["partly", "warn"],
  [NodeHealth.DOWN]: ["down", "bad"],
  [NodeHealth.STOPPED]: ["stopped", "busy"],
};

/** `43/s · p99 12 ms · 0.2% errors`; `quiet` without calls. */
export function inWords({ perSecond, errorShare, p99 }: Figures): string {
  if (perSecond === 0) return "quiet";
  const times = p99 > 0 ? ` · p99 ${milliseconds(p99)}` : "";
  return `${rate(perSecond)}/s${times}${errorShare > 0 ? ` · ${percent(errorShare)} errors` : ""}`;
}
