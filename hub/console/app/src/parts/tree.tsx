/** A tree of things, each opened and closed by the browser's own disclosure, so that keyboard and find-in-page work. */

import type { ComponentChildren } from "preact";

export interface Branch {
  readonly id: string;
  readonly label: ComponentChildren;
  /** What is shown under the label once it is open. */
  readonly body?: ComponentChildren;
  readonly branches?: readonly Branch[];
  readonly open?: boolean;
}

export const Tree = ({ branches, label }: { branches: readonly Branch[]; label?: string }) => (
  <ul class="tree" aria-label={label}>
    {branches.map((one) => (
      <li key={one.id} id={one.id}>
        {one.body || one.branches?.length ? (
          <details open={one.open ?? true}>
            <summary>{one.label}</summary>
            {one.body}
            {one.branches && one.branches.length > 0 && <Tree branches={one.branches} />}
          </details>
        ) : (
          <span class="leaf">{one.label}</span>
        )}
      </li>
    ))}
  </ul>
);
