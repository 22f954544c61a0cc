/** Views that somebody saved in this browser: a name and the filters of the address; nothing personal is ever in an address. */

export interface View {
  readonly name: string;
  /** The address's filters, `state=parked&since=2h`. */
  readonly query: string;
}

const KEY = "metip-views";
export const MOST = 30;

export const GIVEN: readonly View[] = [
  { name: "Parked", query: "state=parked" },
  { name: "In doubt", query: "state=in-doubt" },
  { name: "Expired", query: "state=expired" },
  { name: "In flight", query: "state=attempt" },
];

export function readViews(kept: string | null): readonly View[] {
  try {
    const found: unknown = JSON.parse(kept ?? "[]");
    return Array.isArray(found) ? found.filter(isView).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

const isView = (one: unknown): one is View =>
  typeof one === "object" && one !== null && "name" in one && "query" in one && typeof one.name === "string" && typeof one.query === "string";

/** The views with this one first; one of the same name is replaced. */
export const withView = (views: readonly View[], view: View): readonly View[] =>
  [view, ...views.filter((one) => one.name !== view.name)].slice(0, MOST);

export const savedViews = (): readonly View[] => readViews(localStorage.getItem(KEY));
export const saveViews = (views: readonly View[]): void => localStorage.setItem(KEY, JSON.stringify(views));
