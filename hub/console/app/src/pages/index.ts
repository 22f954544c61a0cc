/** The pages by the first part of their address, in the order of the navigation. A new page is one line here and one folder beside. */

import type { ComponentType } from "preact";
import { EstatePage } from "./estate/page";
import { InterfacesPage } from "./interfaces/page";
import { LedgerPage } from "./ledger/page";
import { MeshPage } from "./mesh/page";
import { MessagesPage } from "./messages/page";
import { ParallelPage } from "./parallel/page";

/** `name` is what follows the page in the address; empty for the page itself. */
export type PageComponent = ComponentType<{ readonly name: string }>;

export const PAGES: Readonly<Record<string, readonly [title: string, page: PageComponent]>> = {
  estate: ["Estate", EstatePage],
  interfaces: ["Interfaces", InterfacesPage],
  messages: ["Messages", MessagesPage],
  parallel: ["Parallel running", ParallelPage],
  ledger: ["Ledger", LedgerPage],
  mesh: ["Mesh", MeshPage],
};
