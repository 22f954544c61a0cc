/** The one way to the hub: grpc-web to this origin, with the operator's token. `client(Service)` gives the generated client of a contract. */

import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { SIGNED_OUT, token } from "@/session";

export const DEADLINE_MS = 10_000;

/** How a page asks: the options hold the deadline and the signal that ends the call when the page is left. */
export type Ask<T> = (options: CallOptions) => Promise<T>;
export type Watch<T> = (options: CallOptions) => AsyncIterable<T>;

/** Without a token the call goes as it is: where a sign-in stands in front of this site, Envoy adds it. */
const withToken: Interceptor = (next) => async (request) => {
  const mine = token();
  if (mine) request.header.set("authorization", `Bearer ${mine}`);
  try {
    return await next(request);
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unauthenticated) dispatchEvent(new Event(SIGNED_OUT));
    throw error;
  }
};

// The site's origin is the only one that the content policy allows, and the only one that is named.
const transport = createGrpcWebTransport({ baseUrl: globalThis.location?.origin ?? "", interceptors: [withToken] });
const clients = new Map<DescService, unknown>();

export function client<T extends DescService>(service: T): Client<T> {
  let known = clients.get(service) as Client<T> | undefined;
  if (!known) {
    known = createClient(service, transport);
    clients.set(service, known);
  }
  return known;
}
