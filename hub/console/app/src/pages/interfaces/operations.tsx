/** What can be asked: each operation with its rules, its callers, and a way to try it. */

import type { GetInterfaceResponse, OperationDetail } from "@gen/metip/hub/v1/catalogue_service_pb";
import { Facts } from "@/parts/facts";
import { Tag, type Tone } from "@/parts/tag";
import { addressOf, useFilter } from "@/route";
import { count, milliseconds, secondsOf, shortName } from "@/words/formatting";
import { TypeName } from "./contract";
import { Permissions } from "./permissions";
import { TryIt } from "./try-it";

export function Operations({ told }: { told: GetInterfaceResponse }) {
  const [shown] = useFilter("operation");
  return (
    <>
      <h2 class="govuk-heading-m" id="operations">Operations</h2>
      {told.operations.map((one) => (
        <Operation key={one.explained?.operation} one={one} open={told.operations.length === 1 || one.explained?.operation.endsWith(`/${shown}`) === true} />
      ))}
    </>
  );
}

export const CLASSES: Readonly<Record<string, readonly [word: string, tone: Tone, meaning: string]>> = {
  READ: ["query", "good", "changes nothing; may be repeated, and compared between platforms"],
  WRITE_IDEMPOTENT: ["command", "busy", "changes something; may be repeated under the same key"],
  WRITE_ONCE: ["command, once", "warn", "changes something; the platform never repeats it"],
};

function Operation({ one, open }: { one: OperationDetail; open: boolean }) {
  const explained = one.explained;
  if (!explained) return null;
  const [word, tone, meaning] = CLASSES[explained.deliveryClass] ?? [explained.deliveryClass, "plain" as const, ""];
  return (
    <details class="govuk-body flush change" open={open}>
      <summary>
        <strong>{explained.operation.replace(/^.*\//, "")}</strong> <Tag tone={tone}>{word}</Tag> <span>{explained.description}</span>
      </summary>
      <div class="change__body">
        <Facts
          facts={[
            ["Takes", <TypeName key="q" name={explained.request} />],
            ["Answers", <TypeName key="a" name={explained.reply} />],
            ["Delivery", `${word}: ${meaning}`],
            ["In law (DPA 2018 s.62)", explained.verb.toLowerCase()],
            ["Purposes", explained.purposes.join(", ") || "none need be stated"],
            ["Asked for besides", besides(explained.officerRequired, explained.justificationRequired)],
            ["Limits", limits(one)],
            ["Comparison", explained.mirror || "never"],
            ...related("Asks on the caller's behalf", explained.consults),
            ...related("Asked by, on others' behalf", one.consultedBy),
            ...(one.subscribers.length > 0 ? ([["Delivered to", one.subscribers.join(", ")]] as const) : []),
          ]}
        />
        <Permissions permissions={one.permissions} />
        <TryIt detail={one} />
      </div>
    </details>
  );
}

function besides(officer: boolean, justification: boolean): string {
  return [officer && "an officer's token", justification && "a written justification"].filter(Boolean).join(" and ") || "nothing";
}

function limits({ explained }: OperationDetail): string {
  if (!explained) return "";
  const { timeout, retries, maxRequestBytes } = explained;
  const repeated = retries > 0 ? `repeated up to ${retries} times after UNAVAILABLE` : "never repeated";
  return `answered within ${milliseconds((secondsOf(timeout) ?? 0) * 1000)}, ${repeated}, requests up to ${count(maxRequestBytes)} bytes`;
}

function related(words: string, operations: readonly string[]) {
  if (operations.length === 0) return [];
  const links = operations.map((one, place) => (
    <span key={one}>
      {place > 0 && ", "}
      <a class="govuk-link" href={addressOf("interfaces", one.replace(/\/.*$/, ""), { operation: one.replace(/^.*\//, "") })}>{shortName(one)}</a>
    </span>
  ));
  return [[words, links] as const];
}
