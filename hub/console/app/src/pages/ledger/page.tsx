/** Ledger. */

import { Page } from "@/parts/page";
import { Empty } from "@/parts/states";

export const LedgerPage = () => (
  <Page title="Ledger">
    <Empty title="This page is being built." />
  </Page>
);
