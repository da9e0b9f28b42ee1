/** `frontdesk purge`: drops stored answers of a running gateway, or in the stores that its instances share. */
import type { Json } from "../contract/json.ts";
import { shown } from "./admin-answer.ts";
import { CLIENT_FLAGS, openAdminClient } from "./admin-client.ts";
import { type Command, UsageError } from "./command.ts";

export const purge: Command = {
  name: "purge",
  summary: "drops stored answers, by path or tag, for every instance within 5 s",
  operands: "[path|path*|tag]",
  maxOperands: 1,
  flags: { everything: { type: "boolean", help: "all of them" }, ...CLIENT_FLAGS },
  details:
    "`/products/1` is that path with every query, on every host; `/products/*` is all that begin so; anything else is a tag.\n" +
    "With --url or GATEWAY_URL it asks that gateway, by GATEWAY_ADMIN_TOKEN, which drops what it holds in memory, too. Otherwise it\n" +
    "works on the stores of this environment: Redis where it is set, else the data folder of a Node host on this machine.",
  async run(call) {
    const [what] = call.operands;
    if ((what === undefined) !== call.has("everything"))
      throw new UsageError("it takes a path, a path with `*` at its end, or a tag; or --everything.");
    const client = await openAdminClient(call);
    try {
      const answer = await client.send("POST", "purge", bodyFor(what));
      const text = ({ purged }: Readonly<Record<string, Json>>) =>
        `${purged} stored ${purged === 1 ? "answer was" : "answers were"} dropped`;
      return shown(answer, call, text, client.where);
    } finally {
      await client.close();
    }
  },
};

function bodyFor(what: string | undefined): Readonly<Record<string, string | boolean>> {
  if (what === undefined) return { everything: true };
  if (!what.startsWith("/")) return { tag: what };
  return what.endsWith("*") ? { prefix: what.slice(0, -1) } : { path: what };
}
