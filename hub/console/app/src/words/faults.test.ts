import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@gen/google/rpc/error_details_pb";
import { describe, expect, test } from "vitest";
import { faultOf } from "./faults";

const told = (reason: string, metadata: Record<string, string> = {}) =>
  new ConnectError("it is held by somebody", Code.Aborted, undefined, [{ desc: ErrorInfoSchema, value: { reason, domain: "hub.metip", metadata } }]);

describe("a refusal says what to do", () => {
  test("by its reason, in the words of the table of faults", () => expect(faultOf(told("LOCKED")).advice).toMatch(/repeat in a while/));
  test("by its own words, where it brought some", () => expect(faultOf(told("ROLE_NEEDED", { advice: "Ask for a role." })).advice).toBe("Ask for a role."));
  test("by its status, where no reason came along", () => expect(faultOf(new ConnectError("", Code.Unavailable)).advice).toMatch(/metip status/));
  test("with the id that helpers ask for", () => expect(faultOf(told("INTERNAL", { call_id: "c-1" })).callId).toBe("c-1"));
  test("and is never empty", () => expect(faultOf(new Error("")).text).not.toBe(""));
});

test("an unknown reason does no harm", () => expect(faultOf(told(create(ErrorInfoSchema).reason)).advice).not.toBe(""));
