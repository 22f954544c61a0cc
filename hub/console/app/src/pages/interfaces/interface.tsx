/** One interface. */

import { Page } from "@/parts/page";
import { shortName } from "@/words/formatting";

export const InterfacePage = ({ name }: { name: string }) => (
  <Page title={shortName(name)} above={name}>
    <p />
  </Page>
);
