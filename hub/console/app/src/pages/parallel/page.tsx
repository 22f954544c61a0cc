/** Parallel. */

import { Page } from "@/parts/page";
import { Empty } from "@/parts/states";

export const ParallelPage = () => (
  <Page title="Parallel running">
    <Empty title="This page is being built." />
  </Page>
);
