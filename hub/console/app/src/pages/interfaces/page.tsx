/** Interfaces. */

import { Page } from "@/parts/page";
import { Empty } from "@/parts/states";

export const InterfacesPage = () => (
  <Page title="Interfaces">
    <Empty title="This page is being built." />
  </Page>
);
