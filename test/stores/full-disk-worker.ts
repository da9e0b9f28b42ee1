/** A process on a store file whose files may not grow: what it still does. */
import type { KeyRecord } from "../../lib/contract/stores/keys.ts";
import type { StoreReply } from "../../lib/contract/stores/reply.ts";
import { createSqliteStores } from "../../lib/stores/sqlite/sqlite-stores.ts";

const file = process.argv[2]!;
let isInMemory = false;
const stores = createSqliteStores({
  file,
  holdsRevocations: true,
  onInMemory() {
    isInMemory = true;
  },
});
const token: KeyRecord = {
  id: "t",
  version: 1,
  digest: "token",
  name: "n",
  consumer: "c",
  hint: "h",
  createdMs: 7,
};
const idOf = (reply: StoreReply<KeyRecord | undefined>) => (reply.state === "ok" ? reply.value?.id : reply.state);
const revokedMsOf = (reply: StoreReply<KeyRecord | undefined>) => (reply.state === "ok" ? reply.value?.revokedMs : reply.state);

const claim = await stores.once.claim("a", 60_000, 7);
const revoked = await stores.keys.revoke("1", 7);
const revokedToken = await stores.revoked.put(token);
const seen = {
  isInMemory,
  claim: claim.state,
  revoked,
  revokedToken,
  key: revokedMsOf(await stores.keys.get("d")),
  earlierKey: revokedMsOf(await stores.keys.get("e")),
  token: idOf(await stores.revoked.get("token")),
  away: stores.status().away?.reason,
  held: stores.status().heldRevocations,
  // The command would hold it for a moment, and say that it was done.
  withoutHolding: (await createSqliteStores({ file }).keys.revoke("1", 7)).state,
};
process.stdout.write(JSON.stringify(seen));
