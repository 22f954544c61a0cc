/** By which identifiers somebody or something is looked for: the kinds of the identifier dictionary, in words; pure. */

import kinds from "@gen/identifiers.json";

const PLAIN = new Set(["and", "case", "code", "home", "name", "of"]);

/** `arrest_summons_number` → `Arrest summons number`, `pnc_id` → `PNC id`. */
export function kindWords(kind: string): string {
  const words = kind.split("_").map((word) => (word.length > 2 && word.length < 5 && !PLAIN.has(word) ? word.toUpperCase() : word)).join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const FIRST = ["vrm", "pnc_id", "custody_number", "name_and_birth"];

/** Every kind with its words: those that are asked for most come first. */
export const KINDS: readonly (readonly [kind: string, words: string])[] = [...FIRST, ...kinds.filter((one) => !FIRST.includes(one))].map(
  (kind) => [kind, kindWords(kind)] as const,
);

export const HINTS: Readonly<Record<string, string>> = { name_and_birth: "SURNAME|FORENAME|YYYY-MM-DD" };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What a pasted id is an id of. A message's is a UUID of version 8, a call's one of any other; a record's is a number. */
export function kindOfId(typed: string): "message" | "call" | "record" | "key" {
  const id = typed.trim();
  const found = UUID.exec(id);
  if (found) return found[1] === "8" ? "message" : "call";
  return /^\d{1,15}$/.test(id) ? "record" : "key";
}
