/** An instant: how long ago or ahead, with the full time for whoever points at it. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { clock, iso, relative } from "@/words/formatting";

export function Time({ at, full = false }: { at: Timestamp | undefined; full?: boolean }) {
  if (!at || at.seconds <= 0n) return <span>–</span>;
  return (
    <time dateTime={iso(at)} title={full ? relative(at) : clock(at)}>
      {full ? clock(at) : relative(at)}
    </time>
  );
}
