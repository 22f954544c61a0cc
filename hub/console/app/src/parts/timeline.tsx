/** What happened, one thing after the other. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ComponentChildren } from "preact";
import { Time } from "./time";

export interface Moment {
  readonly id: string;
  readonly at: Timestamp | undefined;
  readonly title: ComponentChildren;
  readonly body?: ComponentChildren;
}

export const Timeline = ({ moments, label }: { moments: readonly Moment[]; label: string }) => (
  <ol class="timeline" aria-label={label}>
    {moments.map(({ id, at, title, body }) => (
      <li key={id} id={id}>
        <p class="govuk-body timeline__title">
          {title} <span class="quiet"><Time at={at} /></span>
        </p>
        {body}
      </li>
    ))}
  </ol>
);
