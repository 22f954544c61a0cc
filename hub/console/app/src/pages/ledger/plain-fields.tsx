/** What of a search is not personal: it is kept in the address, so that a search can be passed on without whom it was about. */

import { Choice } from "@/parts/choice";
import { Field } from "@/parts/field";
import { navigate, useRoute } from "@/route";
import type { Plain } from "./query";
import { KINDS, PURPOSES } from "./words";

const NAMES = ["consumer", "operation", "purpose", "kind", "outcome", "from", "before"] as const;

export function usePlain(): [Plain, (plain: Plain) => void] {
  const { query } = useRoute();
  const plain = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])) as unknown as Plain;
  const change = (next: Plain) => {
    const said = NAMES.filter((name) => next[name] !== "").map((name) => [name, next[name]]);
    navigate(`/ledger${said.length > 0 ? `?${new URLSearchParams(said)}` : ""}`, true);
  };
  return [plain, change];
}

export function PlainFields({ plain, change }: { plain: Plain; change: (plain: Plain) => void }) {
  const to = (name: keyof Plain) => (value: string) => change({ ...plain, [name]: value });
  return (
    <div class="filters">
      <Choice label="Purpose" value={plain.purpose} options={PURPOSES} change={to("purpose")} />
      <Choice label="What was recorded" value={plain.kind} options={KINDS} change={to("kind")} />
      <Field label="Consumer or operator" hint="spiffe://… or os://…, in full." value={plain.consumer} change={to("consumer")} longest={300} />
      <Field label="Operation" hint="In full; Interface/* for all of one." value={plain.operation} change={to("operation")} longest={200} />
      <Field label="Ended" hint="OK, or a reason such as RESTRICTED." value={plain.outcome} change={to("outcome")} longest={60} />
      <Field label="From" kind="datetime-local" value={plain.from} change={to("from")} />
      <Field label="Before" kind="datetime-local" value={plain.before} change={to("before")} />
    </div>
  );
}
