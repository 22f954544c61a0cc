import { create } from "@bufbuild/protobuf";
import { PositionSchema, State, StepKind, StepPhase, StepSchema } from "@gen/metip/migration/v1/step_pb";
import { describe, expect, it } from "vitest";
import { parityWords, positionWords, stepWords, wentWrong } from "./positions";

const canary = create(PositionSchema, { state: State.CANARY, percent: 10 });
const shadow = create(PositionSchema, { state: State.SHADOW });

describe("positions and steps", () => {
  it("are told in words", () => {
    expect([positionWords(canary), positionWords(shadow), positionWords(undefined)]).toEqual(["canary 10%", "shadow", "the end of the way"]);
  });
  it("say where an interface came from and went", () => {
    const step = create(StepSchema, { kind: StepKind.BREACH, phase: StepPhase.APPLIED, moves: [{ interface: "a", before: canary, after: shadow }] });
    expect(stepWords(step, "a")).toBe("canary 10% → shadow, back by itself, since a bar was breached");
    expect(wentWrong(step)).toBe(true);
    const late = create(StepSchema, { kind: StepKind.FORWARD, phase: StepPhase.REFUSED, moves: [{ interface: "a", before: shadow, after: canary }] });
    expect(stepWords(late, "group")).toBe("shadow → canary 10%, forward (not made)");
  });
  it("never call what is nearly all alike all alike", () => {
    expect(parityWords(0n, 0, 0)).toBe("nothing compared");
    expect(parityWords(1000n, 0.99999, 0.98999)).toBe("99.99% (at least 98.99%)");
    expect(parityWords(1000n, 1, 0.995)).toBe("100% (at least 99.5%)");
  });
});
