/** One interface: what its contract says, who may call it and why, where it goes, how it does now, and a way to try it. */

import { CatalogueService, type GetInterfaceResponse } from "@gen/metip/hub/v1/catalogue_service_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { Facts } from "@/parts/facts";
import { Page } from "@/parts/page";
import { Answered } from "@/parts/states";
import { Tag } from "@/parts/tag";
import { addressOf } from "@/route";
import { shortName } from "@/words/formatting";
import { Contract } from "./contract";
import { LiveNow } from "./live-now";
import { Operations } from "./operations";
import { Parity } from "./parity";
import { RecentErrors } from "./recent-errors";
import { Routes } from "./routes";

const EVERY_MS = 10_000;
const PARTS = [["operations", "Operations"], ["now", "Now"], ["errors", "Errors as they happen"], ["routes", "Routes"], ["parity", "Parity"], ["contract", "Messages and enums"]] as const;

export function InterfacePage({ name }: { name: string }) {
  const answer = useAnswer((options) => client(CatalogueService).getInterface({ interface: name }, options), [name], EVERY_MS);
  return (
    <Page title={shortName(name)} above={<a class="govuk-link" href={addressOf("interfaces")}>Interfaces</a>}>
      <Answered answer={answer}>
        {(told) => (
          <>
            <Head told={told} />
            <ul class="jumps" aria-label="On this page">
              {PARTS.map(([id, words]) => (
                <li key={id}>
                  <a class="govuk-link" href={`#${id}`}>{words}</a>
                </li>
              ))}
            </ul>
            <Operations told={told} />
            <LiveNow name={name} />
            <RecentErrors name={name} />
            <Routes backEnds={told.interface?.backEnds ?? []} operations={told.operations} />
            <Parity name={name} several={(told.interface?.backEnds.length ?? 0) > 1} />
            <Contract messages={told.messages} enums={told.enums} />
          </>
        )}
      </Answered>
    </Page>
  );
}

function Head({ told: { interface: summary, description, legalRegime, wire } }: { told: GetInterfaceResponse }) {
  if (!summary) return null;
  const { name, system, owner, dpia, dpiaReviewBy, classification, instances } = summary;
  return (
    <>
      <p class="govuk-body-l">{description}</p>
      <Facts
        facts={[
          ["Contract", <code key="n">{name}</code>],
          ["System", <a class="govuk-link" key="s" href={addressOf("estate", "", { system })}>{system}</a>],
          ["Served by", <Tag key="i" tone={instances > 0 ? "good" : "bad"}>{instances > 0 ? `${instances} instance${instances === 1 ? "" : "s"}` : "nobody"}</Tag>],
          ["Owner", owner],
          ["Impact assessment", `${dpia}, to be reviewed by ${dpiaReviewBy}`],
          ["Protection", [classification, legalRegime].filter(Boolean).join("; ")],
          ["Behind it", wire || "–"],
        ]}
      />
    </>
  );
}
