/** Who is signed in: a bearer token that lives in this tab alone. It arrives in the fragment of the address, which no server sees. */

const KEY = "metip-token";
/** Told to the window when a call was refused for want of a valid token. */
export const SIGNED_OUT = "metip-signed-out";

/** Takes the token out of the address, if there is one, before anything else reads the address. */
export function signInByFragment(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  sessionStorage.setItem(KEY, token);
  history.replaceState(null, "", location.pathname + location.search);
}

export const token = (): string | null => sessionStorage.getItem(KEY);

/** Forgets the token; where the session is Envoy's own there is none, and Envoy ends it. */
export function signOut(): void {
  if (!token()) return location.assign("/sign-out");
  sessionStorage.removeItem(KEY);
  dispatchEvent(new Event(SIGNED_OUT));
}

export interface Claims {
  readonly subject: string;
  readonly roles: readonly string[];
  /** When the token ends, in seconds of Unix time; undefined where it says nothing of that. */
  readonly expires: number | undefined;
}

/** What the token says of itself, for showing only: Envoy decides what it is worth. */
export function claims(encoded = token()): Claims | undefined {
  const payload = encoded?.split(".")[1];
  if (!payload) return undefined;
  try {
    const read = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as Record<string, unknown>;
    const roles = Array.isArray(read["roles"]) ? read["roles"].map(String) : [];
    return { subject: String(read["sub"] ?? ""), roles, expires: typeof read["exp"] === "number" ? read["exp"] : undefined };
  } catch {
    return undefined;
  }
}

/** Whether acts may be offered at all; the hub refuses them to others in any case. */
export const mayAct = (): boolean => claims()?.roles.includes("operations") ?? true;
