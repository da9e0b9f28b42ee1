/** What the Node host remembers of a connection. It stands on the socket itself: a WeakMap costs a collection more than the rest. */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Client } from "../exchange.ts";
import { canonicalIp } from "../http/ip.ts";
import type { Locate } from "./geo-database.ts";
import { LocatedClient } from "./located-client.ts";

export interface NodeConnection {
  /** Who is at the other end: requests on one connection come from the same peer. */
  readonly peer: Client;
  /** The latest: answers leave in the order of the requests, so it is the last to end. */
  response: ServerResponse | undefined;
}

const KEY = Symbol("frontdesk.connection");

export function connectionOf(
  socket: Duplex & { readonly remoteAddress?: string | undefined; [KEY]?: NodeConnection },
  locate?: Locate,
): NodeConnection {
  if (!socket[KEY]) {
    const ip = socket.remoteAddress === undefined ? undefined : canonicalIp(socket.remoteAddress);
    socket[KEY] = { peer: new LocatedClient(ip, locate), response: undefined };
  }
  return socket[KEY];
}
