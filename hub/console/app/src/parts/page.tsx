/** The frame of a page: its heading gets the focus when one comes here, so that the keyboard and a screen reader start there. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PageProps {
  readonly title: string;
  /** What stands above the heading: the kind of thing, or the way back. */
  readonly above?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Page({ title, above, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – MetIP Hub`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <main class="govuk-main-wrapper" id="main">
      {above && <span class="govuk-caption-l">{above}</span>}
      <h1 class="govuk-heading-l" ref={heading} tabIndex={-1}>{title}</h1>
      {children}
    </main>
  );
}
