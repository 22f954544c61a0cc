/** Messages. */

import { Page } from "@/parts/page";
import { Empty } from "@/parts/states";

export const MessagesPage = () => (
  <Page title="Messages">
    <Empty title="This page is being built." />
  </Page>
);
