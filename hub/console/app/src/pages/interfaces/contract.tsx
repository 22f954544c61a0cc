/** The contract's messages and enums, with its own comments, what each field means for people's data, and the rules it keeps to. */

import type { EnumDetail, FieldDetail, MessageDetail } from "@gen/metip/hub/v1/catalogue_service_pb";
import { type Column, Table } from "@/parts/table";
import { Tag, type Tone } from "@/parts/tag";
import { shortName } from "@/words/formatting";

export const Contract = ({ messages, enums }: { messages: readonly MessageDetail[]; enums: readonly EnumDetail[] }) => (
  <>
    <h2 class="govuk-heading-m" id="contract">Messages and enums</h2>
    {messages.map((one) => (
      <details class="govuk-body flush change" key={one.name} id={one.name}>
        <summary>
          <strong>{shortName(one.name)}</strong> <span>{one.description}</span>
        </summary>
        <div class="change__body">
          <Table caption={`Fields of ${one.name}`} columns={FIELDS} rows={one.fields} name={(field) => field.name} />
        </div>
      </details>
    ))}
    {enums.map((one) => (
      <details class="govuk-body flush change" key={one.name} id={one.name}>
        <summary>
          <strong>{shortName(one.name)}</strong> <Tag>enum</Tag> <span>{one.description}</span>
        </summary>
        <dl class="change__body values">
          {one.values.map((value) => (
            <div key={value.name}>
              <dt>
                <code>{value.name}</code> <span class="quiet">{value.number}</span>
              </dt>
              <dd>{value.description}</dd>
            </div>
          ))}
        </dl>
      </details>
    ))}
  </>
);

/** A type by its short name, which leads to where it is described; `stream` and `map<…>` stay as they are. */
export function TypeName({ name }: { name: string }) {
  const full = /metip\.[A-Za-z0-9_.]+/.exec(name)?.[0];
  if (!full) return <code>{name}</code>;
  return (
    <code>
      {name.slice(0, name.indexOf(full))}
      <a class="govuk-link" href={`#${full}`} onClick={() => opened(full)}>{shortName(full)}</a>
      {name.slice(name.indexOf(full) + full.length)}
    </code>
  );
}

function opened(id: string): void {
  const there = document.getElementById(id);
  if (there instanceof HTMLDetailsElement) there.open = true;
}

const PERSONAL: Readonly<Record<string, readonly [word: string, tone: Tone]>> = {
  NONE: ["not personal", "good"],
  PERSONAL: ["personal", "busy"],
  SENSITIVE: ["sensitive", "warn"],
  CRIMINAL_OFFENCE: ["criminal offence", "bad"],
};

const FIELDS: readonly Column<FieldDetail>[] = [
  {
    head: "Field",
    cell: ({ name, number, deprecated }) => (
      <>
        <code>{name}</code> <span class="quiet">{number}</span> {deprecated && <Tag tone="warn">old</Tag>}
      </>
    ),
  },
  {
    head: "Type",
    cell: ({ type, repeated, oneof }) => (
      <>
        {repeated && "list of "}
        <TypeName name={type} />
        {oneof && <span class="quiet"> one of {oneof}</span>}
      </>
    ),
  },
  { head: "Meaning", cell: ({ description }) => description },
  { head: "People's data", cell: (field) => <Personal field={field} /> },
  { head: "Rules", cell: (field) => <Rules field={field} /> },
];

function Personal({ field: { personal, subjectIdentifier } }: { field: FieldDetail }) {
  const [word, tone] = PERSONAL[personal] ?? [personal, "plain" as const];
  return (
    <>
      <Tag tone={tone}>{word}</Tag> {subjectIdentifier && <span class="quiet">found by {subjectIdentifier.toLowerCase().replaceAll("_", " ")}</span>}
    </>
  );
}

function Rules({ field: { rules, orderingKey, idempotencyKey } }: { field: FieldDetail }) {
  const all = [...rules, ...(orderingKey ? ["keeps order"] : []), ...(idempotencyKey ? ["tells repetitions"] : [])];
  if (all.length === 0) return <>–</>;
  return (
    <ul class="govuk-list flush">
      {all.map((rule) => (
        <li key={rule}>
          <code>{rule}</code>
        </li>
      ))}
    </ul>
  );
}
