import { Purpose } from "@gen/metip/options/v1/options_pb";
import { describe, expect, it } from "vitest";
import { accessOf, readWhy, said } from "./why";

describe("why somebody looks", () => {
  it("goes along as audit, with words of its own where nobody gave any", () => {
    expect(accessOf({ reason: " Alert 9 ", reference: " INC-4 " })).toEqual({ purpose: Purpose.AUDIT, reference: "INC-4", justification: "Alert 9" });
    expect(accessOf({ reason: "", reference: "" }).justification).toBe("Looked at from the console");
  });
  it("is read from what the tab kept, whatever that is", () => {
    expect(readWhy(null)).toEqual({ reason: "", reference: "" });
    expect(readWhy("{")).toEqual({ reason: "", reference: "" });
    expect(readWhy('{"reason":"Alert 9"}')).toEqual({ reason: "Alert 9", reference: "" });
    expect([said({ reason: " a ", reference: "" }), said({ reason: "Alert", reference: "" })]).toEqual([false, true]);
  });
});
