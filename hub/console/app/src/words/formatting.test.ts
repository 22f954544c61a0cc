import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { enumWord, milliseconds, percent, plural, rate, relative, shortName, span } from "./formatting";

const NOW = 1_800_000_000_000;

describe("figures read as people read them", () => {
  test.each([
    [0, "0"],
    [0.4213, "0.42"],
    [7.06, "7.1"],
    [42.6, "43"],
    [1204, "1,204"],
  ])("a rate of %s is %s", (value, words) => expect(rate(value)).toBe(words));

  test.each([
    [0, "0%"],
    [0.000_01, "<0.1%"],
    [0.031, "3.1%"],
    [0.9999, ">99.9%"],
    [1, "100%"],
  ])("a share of %s is %s", (value, words) => expect(percent(value)).toBe(words));

  test.each([
    [0.2, "0 s"],
    [59, "59 s"],
    [61, "1 min 1 s"],
    [7_200, "2 h"],
    [273_600, "3 d 4 h"],
  ])("%s seconds are %s", (value, words) => expect(span(value)).toBe(words));

  test("a second and more is told in seconds", () => expect([milliseconds(999), milliseconds(1500)]).toEqual(["999 ms", "1.5 s"]));
});

describe("instants are told from now", () => {
  test.each([
    [-120_000, "2 min ago"],
    [400, "now"],
    [273_600_000, "in 3 d 4 h"],
  ])("%s ms from now is %s", (ahead, words) => expect(relative(timestampFromMs(NOW + ahead), NOW)).toBe(words));
});

describe("names are short where the full one is at hand", () => {
  test("an operation keeps its interface", () => expect(shortName("metip.example.v1.ExampleService/GetExample")).toBe("ExampleService/GetExample"));
  test("an enum loses its prefix", () => expect(enumWord("CHANGE_OUTCOME_ACCEPTED", "CHANGE_OUTCOME")).toBe("accepted"));
  test("one is not many", () => expect([plural(1, "day"), plural(1200, "day")]).toEqual(["1 day", "1,200 days"]));
});
