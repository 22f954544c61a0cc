import { State, StateCountSchema, StepSchema } from "@gen/metip/exchange/v1/message_pb";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { nested } from "./nesting";
import { everything, filterOf, operationOptions, seconds, subscriptionWords } from "./filter";
import { deedsOf, inWords, numberOf, ORDER, slug, stateOf, STATES, stepWords, total } from "./states";
import { MOST, readViews, withView } from "./views";

const NOTHING = { subscription: "", operation: "", state: "", reason: "", since: "" };

describe("a filter", () => {
  it("finds by state, cause and age", () => {
    expect(filterOf({ subscription: "far:op", operation: "metip.far.v1.Far", state: "in-doubt", reason: "TIMED_OUT", since: "2h" }, 10_000_000)).toEqual({
      subscription: "far:op", operation: "metip.far.v1.Far", reason: "TIMED_OUT", states: [State.IN_DOUBT], acceptedFrom: { seconds: 2_800n },
    });
  });
  it("that says nothing is known for that", () => {
    expect(everything(NOTHING)).toBe(true);
    expect(everything({ ...NOTHING, since: "2h" })).toBe(false);
    expect(everything({ ...NOTHING, operation: "metip.far.v1.Far" })).toBe(false);
    expect(filterOf({ ...NOTHING, state: "of mind" }).states).toEqual([]);
  });
  it.each([["15m", 900], ["7d", 604_800], ["h", undefined], ["", undefined]])("%s is %s seconds", (age, found) => expect(seconds(age)).toBe(found));
  it("offers each interface before its operations, and what the address names", () => {
    expect(operationOptions(["a.v1.Two/Do", "a.v1.One/Tell", "a.v1.One/Ask"], "b.v1.Gone")).toEqual([
      ["a.v1.One", "One"], ["a.v1.One/Ask", "– Ask"], ["a.v1.One/Tell", "– Tell"], ["a.v1.Two", "Two"], ["a.v1.Two/Do", "– Do"], ["b.v1.Gone", "Gone"],
    ]);
    expect(operationOptions([], "")).toEqual([]);
  });
  it("names a subscription in short", () => {
    expect(subscriptionWords("far:metip.example.v1.ExampleService/PublishExample")).toBe("far: PublishExample");
  });
});

describe("states", () => {
  it("are found again by the word in the address", () => {
    for (const state of ORDER) expect(stateOf(slug(state))).toBe(state);
    expect(stateOf("nowhere")).toBeUndefined();
    expect([stateOf("pending"), stateOf("in_doubt"), stateOf("in-doubt")]).toEqual([State.PENDING, State.IN_DOUBT, State.IN_DOUBT]);
    expect(Object.keys(STATES)).toHaveLength(ORDER.length + 1);
  });
  it("let nobody do anything with what is done", () => {
    for (const state of [State.DELIVERED, State.PROCESSED, State.REFUSED, State.PURGED, State.ATTEMPT]) expect(deedsOf(state)).toEqual([]);
    expect(deedsOf(State.PARKED).map((one) => one.verb)).toEqual(["Release", "Purge"]);
    expect(deedsOf(State.PENDING)[0]?.verb).toBe("Park");
  });
  it("are counted", () => {
    const counts = [create(StateCountSchema, { state: State.PARKED, deliveries: 12n }), create(StateCountSchema, { state: State.IN_DOUBT, deliveries: 3n })];
    expect([total(counts), numberOf(counts, State.PARKED), inWords(counts)]).toEqual([15, 12, "12 parked, 3 in doubt"]);
  });
  it("lead from step to step", () => {
    const at = { seconds: 1n, nanos: 0 };
    expect(stepWords(create(StepSchema, { attempt: 2, began: at, status: "UNAVAILABLE", state: State.PENDING, by: "exchange" }))).toBe("Attempt 2: UNAVAILABLE");
    expect(stepWords(create(StepSchema, { state: State.PROCESSED, by: "far" }))).toBe("The far system says: processed");
    expect(stepWords(create(StepSchema, { state: State.PARKED, by: "100001XX" }))).toBe("parked, by 100001XX");
    expect(stepWords(create(StepSchema, { state: State.PENDING, by: "100001XX" }))).toBe("released, by 100001XX");
  });
});

describe("a journey", () => {
  it("is nested by parents, and loses no step whose parent is not told", () => {
    const steps = [{ stepId: "a", parentId: "" }, { stepId: "b", parentId: "a" }, { stepId: "c", parentId: "gone" }, { stepId: "d", parentId: "b" }];
    const [first, last] = nested(steps);
    expect([first?.step.stepId, first?.steps[0]?.steps[0]?.step.stepId, last?.step.stepId]).toEqual(["a", "d", "c"]);
  });
});

describe("saved views", () => {
  it("are read from what is whole, and nothing else", () => {
    expect(readViews(null)).toEqual([]);
    expect(readViews("not json")).toEqual([]);
    expect(readViews('[{"name":"a","query":"state=parked"},{"name":1},null,"x"]')).toEqual([{ name: "a", query: "state=parked" }]);
  });
  it("have one of each name, the latest first, and an end", () => {
    const views = withView(withView([], { name: "a", query: "1" }), { name: "b", query: "2" });
    expect(withView(views, { name: "a", query: "3" })).toEqual([{ name: "a", query: "3" }, { name: "b", query: "2" }]);
    const many = Array.from({ length: MOST }, (_, place) => ({ name: String(place), query: "" }));
    expect(withView(many, { name: "new", query: "" })).toHaveLength(MOST);
  });
});
