/** Estate: what is live, as a map and as a table. Everything is told by one stream; filters narrow it here, at once. */

import { Grouping } from "@gen/metip/estate/v1/estate_pb";
import { EstateService } from "@gen/metip/estate/v1/estate_service_pb";
import { useMemo } from "preact/hooks";
import { client } from "@/calls";
import { type Answer, useStream } from "@/live";
import { Choice } from "@/parts/choice";
import { Figures } from "@/parts/facts";
import { FilterBox, matches } from "@/parts/filter-box";
import { Page } from "@/parts/page";
import { Answered, Empty } from "@/parts/states";
import { Tag } from "@/parts/tag";
import { addressOf, useFilter } from "@/route";
import { count, milliseconds, percent, rate, span, secondsOf } from "@/words/formatting";
import { Details } from "./details";
import { drawing } from "./grouping";
import { Map, mapAddress } from "./map";
import { active, failing, moving, narrowed, type Wanted } from "./narrowing";
import { folded, type Picture } from "./picture";
import { EstateTable } from "./table";
import { Hidden } from "./hidden";

const WANTED = [["all", "Everything"], ["active", "With calls or a backlog"], ["failing", "In trouble"], ["moving", "Moving to the new platform"]] as const;
const ROWS = [["INTERFACE", "Interfaces"], ["OPERATION", "Operations"], ["CONSUMER", "Consumers"], ["SYSTEM", "Systems"], ["SUBSCRIPTION", "Subscriptions"]] as const;
type By = (typeof ROWS)[number][0];

export function EstatePage() {
  const [view, setView] = useFilter("view", "map");
  const [by, setBy] = useFilter("by", "INTERFACE");
  const [text, setText] = useFilter("q");
  const [wanted, setWanted] = useFilter("show", "all");
  const table = view === "table";
  const grouping = Grouping[by as By] ?? Grouping.INTERFACE;
  const ask = { rows: table ? [grouping] : [], withoutMap: table };
  const estate = useStream((options) => client(EstateService).watchEstate(ask, options), folded, [table, table && grouping]);
  return (
    <Page title="Estate">
      <Totals estate={estate} />
      <div class="filters">
        <FilterBox label="Filter by interface, consumer or system" value={text} change={setText} />
        <Choice label="Show" value={wanted as Wanted} change={setWanted} options={WANTED} />
        <Choice label="As" value={view} change={setView} options={[["map", "Map"], ["table", "Table"]]} />
        {table && <Choice label="Rows" value={by as By} change={setBy} options={ROWS} />}
      </div>
      <Answered answer={estate}>
        {(picture) => (table ? <Rows picture={picture} text={text} wanted={wanted as Wanted} /> : <Drawn picture={picture} text={text} wanted={wanted as Wanted} />)}
      </Answered>
    </Page>
  );
}

interface ShownProps {
  readonly picture: Picture;
  readonly text: string;
  readonly wanted: Wanted;
}

function Drawn({ picture, text, wanted }: ShownProps) {
  const [system] = useFilter("system");
  const [node, setNode] = useFilter("node");
  const drawn = useMemo(() => drawing(narrowed(picture, { text, wanted, system }), node), [picture, text, wanted, system, node]);
  const query = { q: text, show: wanted === "all" ? "" : wanted, system };
  return (
    <>
      <Hidden drawing={drawn} system={system} all={addressOf("estate", "", { ...query, system: "" })} />
      {node && <Details picture={picture} id={node} close={() => setNode("")} />}
      {drawn.boxes.length === 0 ? (
        <Empty title={picture.nodes.size === 0 ? "Nothing is registered yet." : "Nothing is like that."}>
          {picture.nodes.size === 0 ? <>Start the adapters, then see <code>metip status</code>.</> : "Widen the filter."}
        </Empty>
      ) : (
        <Map drawing={drawn} chosen={node} addressFor={mapAddress(query)} />
      )}
    </>
  );
}

function Rows({ picture, text, wanted }: ShownProps) {
  const test = wanted === "active" ? active : wanted === "failing" ? failing : wanted === "moving" ? moving : undefined;
  const rows = [...picture.rows.values()].filter((row) => matches(text, row.name, row.system) && (!test || test(row)));
  return <EstateTable rows={rows} filtered={text !== "" || wanted !== "all"} />;
}

function Totals({ estate }: { estate: Answer<Picture> }) {
  const head = estate.value?.head;
  const total = head?.total;
  const silent = head?.sources.filter(({ problem }) => problem) ?? [];
  return (
    <>
      <Figures
        figures={[
          ["Calls", `${rate(total?.perSecond ?? 0)}/s`],
          ["Errors", percent(total?.errorShare ?? 0)],
          ["p99", milliseconds(total?.p99Ms ?? 0)],
          ["In flight", count(head?.counts?.inFlight ?? 0n)],
          ["Queued", count(head?.counts?.queued ?? 0n)],
          ["Parked", <a class="govuk-link" key="p" href={addressOf("messages", "", { state: "parked" })}>{count(head?.counts?.parked ?? 0n)}</a>],
          ["Within", span(secondsOf(head?.window) ?? 0)],
        ]}
      />
      {silent.map(({ name, problem }) => (
        <p class="govuk-body" key={name} role="status">
          <Tag tone="warn">{name}</Tag> {problem}
        </p>
      ))}
    </>
  );
}
