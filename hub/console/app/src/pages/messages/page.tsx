/** Messages: find one by whom it is about or by any id; what waits for a person and why; the accounts; each message's own story. */

import { Page } from "@/parts/page";
import { Accounts } from "./accounts";
import { Deliveries } from "./deliveries";
import { Find } from "./find";
import { Groups } from "./groups";
import { JourneyPage } from "./journey";
import { Message } from "./message";
import { PlanPage } from "./plan-page";

const PLAN = "plan/";
const JOURNEY = "journey/";

export function MessagesPage({ name }: { readonly name: string }) {
  if (name.startsWith(PLAN)) return <PlanPage id={name.slice(PLAN.length)} />;
  if (name.startsWith(JOURNEY)) return <JourneyPage id={name.slice(JOURNEY.length)} />;
  if (name) return <Message id={name} />;
  return (
    <Page title="Messages">
      <Find />
      <Groups />
      <Deliveries />
      <Accounts />
    </Page>
  );
}
