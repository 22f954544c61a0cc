/** Estate. */

import { Page } from "@/parts/page";
import { Empty } from "@/parts/states";

export const EstatePage = () => (
  <Page title="Estate">
    <Empty title="This page is being built." />
  </Page>
);
