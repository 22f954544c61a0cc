import { expect, test } from "vitest";
import { addressOf, routeOf } from "./route";

test("an address and what it is read as agree, whatever is in a name", () => {
  for (const name of ["metip.example.v1.ExampleService", "a b/c?d#e", "spiffe://metip.test/consumer/x", "ü%"]) {
    const there = new URL(addressOf("interfaces", name, { q: "x y", empty: "" }), "https://site");
    const route = routeOf(there.pathname, there.search);
    expect([route.page, route.name, route.query.get("q"), route.query.has("empty")]).toEqual(["interfaces", name, "x y", false]);
  }
});

test("the root is the estate", () => expect(routeOf("/", "").page).toBe("estate"));
test("what can't be decoded stays as it is", () => expect(routeOf("/ledger/%E0%A4%A", "").name).toBe("%E0%A4%A"));
