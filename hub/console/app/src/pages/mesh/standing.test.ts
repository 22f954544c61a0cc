import { create } from "@bufbuild/protobuf";
import { ChangeOutcome, ChangeSchema, ConnectedEnvoySchema } from "@gen/metip/hub/v1/mesh_service_pb";
import { expect, test } from "vitest";
import { envoyState, OUTCOMES, refused, resourceOf, summary } from "./standing";

test("a rejected change is a NACK and counts as refused", () => {
  const change = create(ChangeSchema, { outcome: ChangeOutcome.REJECTED });
  expect([OUTCOMES[change.outcome].word, OUTCOMES[change.outcome].tone, refused(change)]).toEqual(["NACK", "bad", true]);
});

test("an unanswered change stands, so it is not refused", () => expect(refused(create(ChangeSchema, { outcome: ChangeOutcome.UNANSWERED }))).toBe(false));

test("an Envoy is told by what it acknowledged and refused", () => {
  const envoy = (accepted: Record<string, string>, lastRefusal = "") => envoyState(create(ConnectedEnvoySchema, { accepted, lastRefusal })).word;
  expect([envoy({}), envoy({ cluster: "1" }), envoy({ cluster: "1" }, "no")]).toEqual(["no answer yet", "ACK", "ACK after a NACK"]);
});

test("differences are counted by mark and named by kind", () => {
  const resources = ["+cluster a", "+route b c", "~cluster d", "-listener e"].map(resourceOf);
  expect(resources[1]).toEqual({ mark: "added", kind: "route", name: "b c" });
  expect(summary(resources)).toBe("+2 ~1 -1 (cluster, listener, route)");
  expect(summary([])).toBe("no resource");
});
