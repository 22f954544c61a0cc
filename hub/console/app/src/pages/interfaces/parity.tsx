/** How far both platforms agree on the interface, in one line; the page of parallel running has the rest. */

import { ParityService } from "@gen/metip/parity/v1/parity_service_pb";
import type { Report } from "@gen/metip/parity/v1/verdict_pb";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Ask, client } from "@/calls";
import { useAnswer } from "@/live";
import { Figures } from "@/parts/facts";
import { Answered, Empty } from "@/parts/states";
import { addressOf } from "@/route";
import { count, milliseconds, percent } from "@/words/formatting";

const EVERY_MS = 15_000;

export const Parity = ({ name, several }: { name: string; several: boolean }) => (
  <>
    <h2 class="govuk-heading-m" id="parity">Parity</h2>
    {several ? <Agreement name={name} /> : <Empty title="One platform serves it, so there is nothing to compare." />}
  </>
);

/** Nothing compared yet is no fault here. */
const reportOf =
  (name: string): Ask<{ readonly report?: Report }> =>
  async (options) => {
    try {
      return await client(ParityService).getReport({ interface: name }, options);
    } catch (error) {
      if (ConnectError.from(error).code === Code.NotFound) return {};
      throw error;
    }
  };

function Agreement({ name }: { name: string }) {
  const answer = useAnswer(reportOf(name), [name], EVERY_MS);
  const more = <a class="govuk-link" href={addressOf("parallel", name)}>Parallel running of this interface</a>;
  return (
    <Answered answer={answer}>
      {({ report }) =>
        !report || report.compared === 0n ? (
          <Empty title="Nothing was compared yet.">{more}</Empty>
        ) : (
          <>
            <Figures
              figures={[
                ["Agree", percent(report.parity)],
                ["At least (95%)", percent(report.parityLower)],
                ["Compared", count(report.compared)],
                ["Differing", count(report.differing)],
                ["p99, answering / other", `${milliseconds(report.primaryP99Ms)} / ${milliseconds(report.shadowP99Ms)}`],
              ]}
            />
            <p class="govuk-body">{more}</p>
          </>
        )
      }
    </Answered>
  );
}
