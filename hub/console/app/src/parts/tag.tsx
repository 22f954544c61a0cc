/** A state in one word. The word says it; the colour only helps. */

import type { ComponentChildren } from "preact";

export type Tone = "good" | "bad" | "warn" | "busy" | "plain";

const CLASSES: Record<Tone, string> = { good: "green", bad: "red", warn: "yellow", busy: "blue", plain: "grey" };

export const Tag = ({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) => (
  <strong class={`govuk-tag govuk-tag--${CLASSES[tone]}`}>{children}</strong>
);
