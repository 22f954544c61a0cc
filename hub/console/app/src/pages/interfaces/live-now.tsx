/** How the interface does at this moment: the estate's rows of its operations. */

import { Grouping } from "@gen/metip/estate/v1/estate_pb";
import { EstateService } from "@gen/metip/estate/v1/estate_service_pb";
import { client } from "@/calls";
import { useStream } from "@/live";
import { Answered } from "@/parts/states";
import { folded } from "../estate/picture";
import { EstateTable } from "../estate/table";

export function LiveNow({ name }: { name: string }) {
  const ask = { filter: { interfaces: [name] }, rows: [Grouping.OPERATION, Grouping.SUBSCRIPTION], withoutMap: true };
  const estate = useStream((options) => client(EstateService).watchEstate(ask, options), folded, [name]);
  return (
    <>
      <h2 class="govuk-heading-m" id="now">Now</h2>
      <Answered answer={estate}>{(picture) => <EstateTable rows={[...picture.rows.values()]} filtered={false} />}</Answered>
    </>
  );
}
