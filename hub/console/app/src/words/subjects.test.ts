import { describe, expect, it } from "vitest";
import { KINDS, kindOfId, kindWords } from "./subjects";

describe("kinds of identifiers", () => {
  it.each([
    ["vrm", "VRM"],
    ["pnc_id", "PNC id"],
    ["name_and_birth", "Name and birth"],
    ["arrest_summons_number", "Arrest summons number"],
    ["court_case_reference", "Court case reference"],
  ])("%s reads %s", (kind, words) => expect(kindWords(kind)).toBe(words));

  it("are each there once, vehicles first", () => {
    expect(KINDS[0]?.[0]).toBe("vrm");
    expect(new Set(KINDS.map(([kind]) => kind)).size).toBe(KINDS.length);
  });
});

describe("a pasted id", () => {
  it.each([
    ["0197c5a0-0000-8000-8000-00000000002a", "message"],
    [" 0197C5A0-0000-8000-8000-00000000002A ", "message"],
    ["5f3b1a9e-4c7d-4e8a-9b1f-2d6c8e0a1b3c", "call"],
    ["41", "record"],
    ["01ZD/1234/26", "key"],
    ["", "key"],
  ])("%s is of a %s", (typed, kind) => expect(kindOfId(typed)).toBe(kind));
});
