/** Interfaces: the list of what is loaded, what keeps others from loading, and one interface with everything that follows from its contract. */

import { CatalogueService } from "@gen/metip/hub/v1/catalogue_service_pb";
import { client } from "@/calls";
import { useAnswer } from "@/live";
import { FilterBox, matches } from "@/parts/filter-box";
import { Page } from "@/parts/page";
import { Answered, Empty } from "@/parts/states";
import { useFilter } from "@/route";
import { Faults } from "./faults";
import { InterfacePage } from "./interface";
import { InterfaceList } from "./list";

const EVERY_MS = 10_000;

export const InterfacesPage = ({ name }: { readonly name: string }) => (name ? <InterfacePage name={name} /> : <AllInterfaces />);

function AllInterfaces() {
  const [text, setText] = useFilter("q");
  const answer = useAnswer((options) => client(CatalogueService).listInterfaces({}, options), [], EVERY_MS);
  return (
    <Page title="Interfaces">
      <Answered answer={answer}>
        {({ interfaces, faults }) => {
          const found = interfaces.filter((one) => matches(text, one.name, one.system, one.owner, ...one.operations));
          return (
            <>
              <Faults faults={faults} />
              <div class="filters">
                <FilterBox label="Filter by name, system, owner or operation" value={text} change={setText} />
              </div>
              <p class="govuk-body quiet" role="status">
                {found.length} of {interfaces.length} interfaces
              </p>
              {found.length === 0 ? <Empty title="No interface is like that.">Widen the filter.</Empty> : <InterfaceList interfaces={found} />}
            </>
          );
        }}
      </Answered>
    </Page>
  );
}
