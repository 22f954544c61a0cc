/** Why one looks and decides, kept for this tab: it goes with each call on personal data, and is recorded with it. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AccessContextSchema } from "@gen/metip/common/v1/access_pb";
import { Purpose } from "@gen/metip/options/v1/options_pb";
import { useCallback, useEffect, useState } from "preact/hooks";

export interface Why {
  readonly reason: string;
  /** The incident, request or case; some questions demand one. */
  readonly reference: string;
}

type Access = MessageInitShape<typeof AccessContextSchema>;

const KEY = "metip-why";
const SET = "metip-why-set";
const UNSAID = "Looked at from the console";

export const SHORTEST = 3;
export const LONGEST = 250;

/** What a call says of why. Looking at what is masked has a reason of its own where nobody gave one, as on the command line. */
export const accessOf = ({ reason, reference }: Why): Access => ({ purpose: Purpose.AUDIT, reference: reference.trim(), justification: reason.trim() || UNSAID });

export const said = ({ reason }: Why): boolean => reason.trim().length >= SHORTEST;

export function readWhy(kept: string | null): Why {
  try {
    const found = JSON.parse(kept ?? "{}") as Record<string, unknown>;
    return { reason: String(found["reason"] ?? ""), reference: String(found["reference"] ?? "") };
  } catch {
    return { reason: "", reference: "" };
  }
}

/** One reason for the whole tab; every part that shows it changes with it. */
export function useWhy(): [Why, (why: Why) => void] {
  const [why, setWhy] = useState(() => readWhy(sessionStorage.getItem(KEY)));
  useEffect(() => {
    const told = () => setWhy(readWhy(sessionStorage.getItem(KEY)));
    addEventListener(SET, told);
    return () => removeEventListener(SET, told);
  }, []);
  const change = useCallback((next: Why) => {
    sessionStorage.setItem(KEY, JSON.stringify(next));
    dispatchEvent(new Event(SET));
  }, []);
  return [why, change];
}
