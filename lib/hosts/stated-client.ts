/** Who calls where a frontend stands in front: its signed word, in place of the frontend's own edge. */
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Client, GatewayRequest } from "../contract/request.ts";
import { CLIENT_HEADER, readStatement } from "../http/client-statement.ts";
import type { RequestFacts } from "../http/sanitize-headers.ts";
import type { Locate } from "./node/geo-database.ts";
import { LocatedClient } from "./node/located-client.ts";

/** `peer` is whom the host sees. Without a word that is believed it stays the caller. */
export function statedClient(
  peer: Client,
  request: Pick<GatewayRequest, "method" | "target">,
  { withReserved }: Pick<RequestFacts, "withReserved">,
  { trust: { frontends } }: CompiledConfig,
  locate?: Locate,
): Client {
  if (withReserved === undefined || frontends.length === 0) return peer;
  const statements = withReserved.all(CLIENT_HEADER);
  if (statements.length === 0) return peer;
  // Two are one too many, whichever comes first; joined they are none.
  const { word, caller } = readStatement(statements.join(), request, frontends, Date.now());
  const heard = { ...word, edge: peer.ip };
  // Nothing of the edge's place is taken over: it would put the person there.
  return caller
    ? new LocatedClient(caller.ip, placeOf(caller.geo, locate), heard)
    : new LocatedClient(peer.ip, () => peer.geo, heard, peer.isDisputed);
}

function placeOf(geo: Client["geo"], locate: Locate | undefined): Locate | undefined {
  return geo ? () => geo : locate;
}
