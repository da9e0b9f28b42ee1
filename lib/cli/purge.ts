/** `frontdesk purge`: drops stored answers in the stores that the instances of a gateway share. */
import { AnswerStore, pathTag } from "../cache/answer-store.ts";
import { purgePath } from "../cache/cache-key.ts";
import { createLog } from "../observe/log.ts";
import type { StoreReply } from "../stores/reply.ts";
import { type Command, JSON_FLAG, OK, UsageError, WRONG } from "./command.ts";
import { openStores } from "./open-stores.ts";

export const purge: Command = {
  name: "purge",
  summary: "drops stored answers, by path or tag, for every instance within 5 s",
  operands: "[path|path*|tag]",
  maxOperands: 1,
  flags: { everything: { type: "boolean", help: "all of them" }, json: JSON_FLAG },
  details:
    "`/products/1` is that path with every query, on every host; `/products/*` is all that begin so; anything else is a tag.\n" +
    "Works on the stores of this environment: Redis where it is set, else the data folder of a Node host on this machine.\n" +
    "What an instance holds in memory alone is dropped by `POST /gateway/api/purge` of that instance.",
  async run(call) {
    const [what] = call.operands;
    if ((what === undefined) !== call.has("everything"))
      throw new UsageError("it takes a path, a path with `*` at its end, or a tag; or --everything.");
    const stores = await openStores(call.cwd, createLog());
    try {
      const purged = await drop(new AnswerStore(0, stores.blobs, ""), what);
      if (purged.state !== "ok")
        return { code: WRONG, err: `the store did not answer (${purged.reason}): nothing is known of what was dropped.` };
      if (call.has("json")) return { code: OK, out: JSON.stringify({ purged: purged.value }) };
      return { code: OK, out: `${purged.value} stored ${purged.value === 1 ? "answer was" : "answers were"} dropped` };
    } finally {
      await stores.close();
    }
  },
};

async function drop(store: AnswerStore, what: string | undefined): Promise<StoreReply<number>> {
  if (what === undefined) return store.dropBelow("");
  if (!what.startsWith("/")) return store.dropTagged(`tag:${what}`);
  return what.endsWith("*") ? store.dropBelow(purgePath(what.slice(0, -1))) : store.dropTagged(pathTag(purgePath(what)));
}
