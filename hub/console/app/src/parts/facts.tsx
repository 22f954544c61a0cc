/** Names and values, one under the other. */

import type { ComponentChildren } from "preact";

export const Facts = ({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren])[] }) => (
  <dl class="govuk-summary-list facts">
    {facts.map(([name, value]) => (
      <div class="govuk-summary-list__row" key={name}>
        <dt class="govuk-summary-list__key">{name}</dt>
        <dd class="govuk-summary-list__value">{value}</dd>
      </div>
    ))}
  </dl>
);

/** A few figures side by side, the page's answer at one glance. */
export const Figures = ({ figures }: { figures: readonly (readonly [name: string, value: ComponentChildren])[] }) => (
  <dl class="figures">
    {figures.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);
