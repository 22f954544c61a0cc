/** Addresses: `/<page>/<name>?<filters>`. Plain links are followed without loading the site anew; everything shown has an address. */

import { useCallback, useEffect, useState } from "preact/hooks";

export interface Route {
  readonly page: string;
  /** What follows the page, decoded: an interface, a message id, a record; empty for the page itself. */
  readonly name: string;
  readonly query: URLSearchParams;
}

export const HOME = "estate";
const MOVED = "metip-moved";

export function routeOf(path: string, search: string): Route {
  const [page = "", ...rest] = path.replace(/^\/+|\/+$/g, "").split("/");
  return { page: page || HOME, name: decoded(rest.join("/")), query: new URLSearchParams(search) };
}

/** `/interfaces/metip.example.v1.ExampleService?q=x`, with empty filters left out. */
export function addressOf(page: string, name = "", query: Record<string, string> = {}): string {
  const kept = Object.entries(query).filter(([, value]) => value !== "");
  const search = kept.length > 0 ? `?${new URLSearchParams(kept)}` : "";
  return `/${page}${name ? `/${name.split("/").map(encodeURIComponent).join("/")}` : ""}${search}`;
}

export function navigate(address: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  dispatchEvent(new Event(MOVED));
}

const here = (): Route => routeOf(location.pathname, location.search);

export function useRoute(): Route {
  const [route, setRoute] = useState(here);
  useEffect(() => {
    const moved = () => setRoute(here());
    const followed = (event: MouseEvent) => follow(event);
    addEventListener(MOVED, moved);
    addEventListener("popstate", moved);
    document.addEventListener("click", followed);
    return () => {
      removeEventListener(MOVED, moved);
      removeEventListener("popstate", moved);
      document.removeEventListener("click", followed);
    };
  }, []);
  return route;
}

/** One filter, kept in the address; changing it makes no new entry in the browser's history. */
export function useFilter(key: string, preset = ""): [string, (value: string) => void] {
  const { query } = useRoute();
  const change = useCallback(
    (value: string) => {
      const next = new URLSearchParams(location.search);
      if (value === preset) next.delete(key);
      else next.set(key, value);
      navigate(`${location.pathname}${next.size > 0 ? `?${next}` : ""}`, true);
    },
    [key, preset],
  );
  return [query.get(key) ?? preset, change];
}

function follow(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.defaultPrevented);
  if (!plain || !link || link.hasAttribute("target") || link.hasAttribute("download")) return;
  // By the attribute: a link within a picture has another kind of href.
  const there = new URL(link.getAttribute("href") ?? "", location.href);
  const samePage = there.pathname === location.pathname && there.search === location.search;
  if (there.origin !== location.origin || (samePage && there.hash)) return;
  event.preventDefault();
  navigate(there.pathname + there.search);
  showPlace(there.hash);
}

const SETTLES = 3_000;
const BY_HAND = ["wheel", "touchstart", "pointerdown", "keydown"];

/** Scrolls to the place that an address names after `#`, and keeps it in view while what stands above it is still coming: for three seconds, or until somebody moves. */
export function showPlace(hash: string): void {
  if (hash.length < 2) return;
  const place = hash.slice(1), until = performance.now() + SETTLES;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    clearTimeout(timer);
    for (const kind of BY_HAND) removeEventListener(kind, end);
  };
  const show = () => {
    document.getElementById(place)?.scrollIntoView();
    if (performance.now() < until) timer = setTimeout(show, 100);
    else end();
  };
  for (const kind of BY_HAND) addEventListener(kind, end, { passive: true });
  timer = setTimeout(show, 0);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
