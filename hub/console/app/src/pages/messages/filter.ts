/** The filter of deliveries as the address has it, and as the exchange takes it. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type DeliveryFilterSchema, State } from "@gen/metip/exchange/v1/message_pb";
import { stateOf } from "./states";

type Init = MessageInitShape<typeof DeliveryFilterSchema>;

export interface Typed {
  readonly subscription: string;
  /** An operation, or an interface for all of its operations. */
  readonly operation: string;
  readonly state: string;
  readonly reason: string;
  /** An age such as `2h`; empty for all. */
  readonly since: string;
}

export const AGES: readonly (readonly [age: string, words: string])[] = [
  ["", "Any time"], ["15m", "15 minutes"], ["2h", "2 hours"], ["24h", "24 hours"], ["7d", "7 days"],
];

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

/** Seconds of an age; undefined for what is none. */
export function seconds(age: string): number | undefined {
  const found = /^(\d{1,4})([mhd])$/.exec(age);
  return found ? Number(found[1]) * (SECONDS[found[2] ?? ""] ?? 0) : undefined;
}

export function filterOf({ subscription, operation, state, reason, since }: Typed, now = Date.now()): Init {
  const ago = seconds(since);
  const wanted = stateOf(state);
  return {
    subscription,
    operation,
    reason,
    states: wanted === undefined || wanted === State.UNSPECIFIED ? [] : [wanted],
    ...(ago === undefined ? {} : { acceptedFrom: { seconds: BigInt(Math.floor(now / 1000) - ago) } }),
  };
}

/** Whether nothing narrows it: what is done with all there is should not be done by a slip. */
export const everything = ({ subscription, operation, state, reason, since }: Typed): boolean => !subscription && !operation && !state && !reason && !since;

/** `custody:metip.custody.v1.CustodyRecordService/Publish` → `custody: Publish`. */
export function subscriptionWords(name: string): string {
  const [system = "", operation = ""] = name.split(":");
  return operation ? `${system}: ${operation.replace(/^.*\//, "")}` : name;
}

/** Interfaces and operations that one may ask for, each interface before its operations; one that the address names is always among them. */
export function operationOptions(operations: readonly string[], named: string): readonly (readonly [value: string, words: string])[] {
  const known = new Set([...operations, ...operations.map(interfaceOf), ...(named ? [named] : [])]);
  return [...known].toSorted().map((one) => [one, one.includes("/") ? `– ${lastPart(one, "/")}` : lastPart(one, ".")]);
}

const interfaceOf = (operation: string): string => operation.split("/")[0] ?? "";
const lastPart = (name: string, mark: string): string => name.slice(name.lastIndexOf(mark) + 1);
