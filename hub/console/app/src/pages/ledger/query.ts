/** A search of the ledger as it is typed. What is personal in it is in no address: it is typed, asked, and forgotten with the page. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { QuerySchema } from "@gen/metip/ledger/v1/query_pb";
import { timestampOf } from "@/parts/field";
import { kindOf, purposeOf } from "./words";

/** What may stand in an address. */
export interface Plain {
  readonly consumer: string;
  readonly operation: string;
  readonly purpose: string;
  readonly kind: string;
  readonly outcome: string;
  readonly from: string;
  readonly before: string;
}

export interface Personal {
  /** A kind of identifier; empty for none. */
  readonly by: string;
  readonly value: string;
  readonly officer: string;
  readonly reference: string;
}

export const NOBODY: Personal = { by: "", value: "", officer: "", reference: "" };

export function queryOf(plain: Plain, personal: Personal): MessageInitShape<typeof QuerySchema> {
  const { consumer, operation, outcome } = plain;
  const [from, before] = [timestampOf(plain.from), timestampOf(plain.before)];
  return {
    subjects: personal.by && personal.value ? [{ kind: personal.by, value: personal.value }] : [],
    officer: personal.officer.trim(),
    reference: personal.reference.trim(),
    consumer: consumer.trim(),
    operation: operation.trim(),
    outcome: outcome.trim(),
    purpose: purposeOf(plain.purpose),
    kind: kindOf(plain.kind),
    ...(from && { from }),
    ...(before && { before }),
  };
}
