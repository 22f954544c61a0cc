/** What keeps contracts from loading: each fault with what to write instead. */

import type { ContractFault } from "@gen/metip/hub/v1/catalogue_service_pb";
import { plural } from "@/words/formatting";

export const Faults = ({ faults }: { faults: readonly ContractFault[] }) =>
  faults.length === 0 ? null : (
    <div class="govuk-error-summary" role="alert">
      <h2 class="govuk-error-summary__title">{plural(faults.length, "fault")} keep contracts from loading</h2>
      <ul class="govuk-list govuk-list--bullet">
        {faults.map(({ element, problem, fix }) => (
          <li key={element + problem}>
            <code>{element}</code>: {problem}. {fix}
          </li>
        ))}
      </ul>
    </div>
  );
