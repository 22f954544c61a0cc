/** Steps with a parent each, as a tree; pure. */

export interface Nested<T> {
  readonly step: T;
  readonly steps: readonly Nested<T>[];
}

interface Child {
  readonly stepId: string;
  readonly parentId: string;
}

/** A step whose parent is not there stands at the top, so that none is lost. */
export function nested<T extends Child>(steps: readonly T[]): readonly Nested<T>[] {
  const known = new Set(steps.map(({ stepId }) => stepId));
  const at = ({ parentId }: T) => (known.has(parentId) ? parentId : "");
  const under = (id: string): readonly Nested<T>[] => steps.filter((one) => at(one) === id).map((step) => ({ step, steps: under(step.stepId) }));
  return under("");
}
