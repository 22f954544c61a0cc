/** A failed call in words: what happened, what to do, and the ids that whoever helps will ask for. */

import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@gen/google/rpc/error_details_pb";
import reasons from "@gen/reasons.json";

export interface Fault {
  readonly code: Code;
  /** What happened, in one sentence. */
  readonly text: string;
  /** What to do about it. */
  readonly advice: string;
  /** The closed reason of `docs/errors.md`; empty where something other than the hub or an adapter refused. */
  readonly reason: string;
  readonly callId: string;
  readonly fields: readonly { readonly path: string; readonly problem: string }[];
}

const ADVICE: Readonly<Record<string, string>> = reasons;

/** Advice where no reason came along: by status alone, so mostly what Envoy or the network said. */
const BY_CODE: Partial<Record<Code, string>> = {
  [Code.Unauthenticated]: "Sign in: open the address that `metip console` prints.",
  [Code.PermissionDenied]: "Your token lacks the role for this. Acts need the role operations; looking needs operations-read.",
  [Code.Unavailable]: "The hub or Envoy can't be reached. See `metip status`; this page tries again by itself.",
  [Code.DeadlineExceeded]: "The hub took too long. Try again; if it goes on, see `metip check`.",
  [Code.Unimplemented]: "This hub does not offer that. The site and the hub may be of different versions.",
  [Code.NotFound]: "There is nothing by that name. It may have been removed; look at the list.",
  [Code.ResourceExhausted]: "Too much was asked at once. Wait a moment and try again.",
};

export function faultOf(error: unknown): Fault {
  const told = ConnectError.from(error);
  const info = told.findDetails(ErrorInfoSchema)[0];
  const reason = info?.reason ?? "";
  const wait = told.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds;
  const advice = info?.metadata["advice"] ?? ADVICE[reason] ?? BY_CODE[told.code] ?? "Try again; tell whoever runs the hub if it goes on.";
  return {
    code: told.code,
    text: told.rawMessage.replace(`${reason}: `, "") || `The call ended as ${Code[told.code]}.`,
    advice: wait === undefined ? advice : `${advice} (in ${wait} s)`,
    reason,
    callId: info?.metadata["call_id"] ?? told.metadata.get("x-request-id") ?? "",
    fields: told.findDetails(BadRequestSchema).flatMap((one) => one.fieldViolations.map((field) => ({ path: field.field, problem: field.description }))),
  };
}
