/** Records that a search found, the newest first, each as its sentence with a link to its page. */

import type { Line } from "@gen/metip/ledger/v1/query_pb";
import { Empty } from "@/parts/states";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { plural } from "@/words/formatting";
import { toneOf } from "./words";

interface LinesProps {
  readonly lines: readonly Line[];
  readonly more: string;
  readonly next: () => void;
}

export const Lines = ({ lines, more, next }: LinesProps) =>
  lines.length === 0 ? (
    <Empty title="No record is like that.">Widen the search. What was done within the last seconds may not be gathered yet.</Empty>
  ) : (
    <>
      <p class="govuk-body quiet" role="status">
        {plural(lines.length, "record")}, the newest first{more && "; there are more"}.
      </p>
      <ol class="lines" aria-label="Records">
        {lines.map((line) => (
          <li key={String(line.index)}>
            <One line={line} />
          </li>
        ))}
      </ol>
      {more && (
        <button type="button" class="govuk-button govuk-button--secondary small" onClick={next}>
          Show older ones
        </button>
      )}
    </>
  );

function One({ line }: { line: Line }) {
  const tone = toneOf(line);
  return (
    <>
      <span class="quiet"><Time at={line.record?.at} full /></span> {line.sentence} {tone && <Tag tone={tone}>{line.record?.outcome}</Tag>}{" "}
      <a class="govuk-link" href={addressOf("ledger", String(line.index))}>record {String(line.index)}</a>
    </>
  );
}
