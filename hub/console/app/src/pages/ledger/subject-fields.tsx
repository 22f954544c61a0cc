/** Whom or what records are about: a kind of identifier and its value, which stays in this page. */

import { Choice } from "@/parts/choice";
import { Field } from "@/parts/field";
import { HINTS, KINDS } from "@/words/subjects";
import type { Personal } from "./query";

const BY = [["", "Anybody and anything"], ...KINDS] as const;

export const SubjectFields = ({ personal, change }: { personal: Personal; change: (personal: Personal) => void }) => (
  <>
    <Choice<string> label="About" value={personal.by} options={BY} change={(by) => change({ ...personal, by, value: by ? personal.value : "" })} />
    {personal.by && (
      <Field label="Is" hint={HINTS[personal.by] ?? "As people write it."} value={personal.value} change={(value) => change({ ...personal, value })} required longest={200} />
    )}
  </>
);
