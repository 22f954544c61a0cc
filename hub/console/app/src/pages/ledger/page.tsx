/** Ledger: is it whole and witnessed, does it agree with what Envoy saw, and who did what to whose data. */

import { Page } from "@/parts/page";
import { RecordPage } from "./record-page";
import { Search } from "./search";
import { Status } from "./status";

export function LedgerPage({ name }: { readonly name: string }) {
  if (/^\d+$/.test(name)) return <RecordPage index={BigInt(name)} />;
  return (
    <Page title="Ledger">
      <Status />
      <Search />
    </Page>
  );
}
