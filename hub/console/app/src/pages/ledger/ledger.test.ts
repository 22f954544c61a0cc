import { create } from "@bufbuild/protobuf";
import { GetStatusResponseSchema } from "@gen/metip/ledger/v1/ledger_service_pb";
import { LineSchema } from "@gen/metip/ledger/v1/query_pb";
import { Kind } from "@gen/metip/ledger/v1/record_pb";
import { Purpose } from "@gen/metip/options/v1/options_pb";
import { describe, expect, it } from "vitest";
import { NOBODY, queryOf } from "./query";
import { KINDS, PURPOSES, purposeOf, purposeWords, reconciled, toneOf, whole, witnessed } from "./words";

const PLAIN = { consumer: "", operation: "", purpose: "", kind: "", outcome: "", from: "", before: "" };
const status = (said: Parameters<typeof create<typeof GetStatusResponseSchema>>[1]) => create(GetStatusResponseSchema, said);

const tone = (kind: Kind, outcome: string) => toneOf(create(LineSchema, { record: { kind, outcome } }));

describe("the ledger's state", () => {
  it("is bad with a single call that has no record", () => {
    expect(reconciled(status({ reconciliation: { answered: 1200n, missing: 0n } }))).toEqual({ tone: "good", word: "0 missing of 1,200" });
    expect(reconciled(status({ reconciliation: { answered: 1200n, missing: 1n } })).tone).toBe("bad");
    expect(reconciled(status({})).tone).toBe("plain");
  });
  it("is bad with a fork, and late with a witness that is late", () => {
    expect(witnessed(status({ size: 9n, witness: { size: 9n, healthy: true } }))).toEqual({ tone: "good", word: "all co-signed" });
    expect(witnessed(status({ size: 9n, witness: { size: 7n, lagSeconds: 4, healthy: true } })).word).toBe("7 co-signed, 4 s behind");
    expect(witnessed(status({ size: 9n, witness: { size: 7n, problem: "DATA_LOSS: FORK", healthy: false } })).tone).toBe("bad");
  });
  it("names journals with a gap", () => {
    expect(whole(status({ journals: [{ name: "a-0" }, { name: "b-0", gap: "CHAIN" }] }))).toEqual({ tone: "bad", word: "b-0 has a gap" });
  });
});

describe("a search", () => {
  it("holds what was typed and nothing that was not", () => {
    expect(queryOf(PLAIN, NOBODY)).toMatchObject({ subjects: [], officer: "", purpose: Purpose.UNSPECIFIED });
    const found = queryOf({ ...PLAIN, purpose: "ROAD_TRAFFIC", from: "2026-11-23T10:15" }, { ...NOBODY, by: "vrm", value: "AB12 CDE", officer: " 1 " });
    expect(found).toMatchObject({ subjects: [{ kind: "vrm", value: "AB12 CDE" }], officer: "1", purpose: Purpose.ROAD_TRAFFIC });
    expect("from" in found && !("before" in found)).toBe(true);
  });
  it("offers every purpose and kind by words", () => {
    expect(PURPOSES).toContainEqual(["STREET_STOP", "Street stop"]);
    expect(PURPOSES[0]).toEqual(["", "Any"]);
    expect(KINDS).toContainEqual(["REFUSAL", "Refusal"]);
    expect([purposeOf("none"), purposeWords(Purpose.AUDIT), purposeWords(Purpose.UNSPECIFIED)]).toEqual([Purpose.UNSPECIFIED, "Audit", "–"]);
  });
});

describe("a record", () => {
  it("is marked where it did not go well", () => {
    expect([tone(Kind.OPERATION, "OK"), tone(Kind.OPERATION, "NO_TRACE"), tone(Kind.REFUSAL, "RESTRICTED"), tone(Kind.OPENED, "CLEAN")]).toEqual([
      undefined, "warn", "bad", undefined,
    ]);
  });
});
