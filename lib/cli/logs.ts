/** `frontdesk logs`: the requests that were kept, of a running gateway or in the stores of this machine. */
import { once } from "node:events";
import type { KeptRecord } from "../observe/kept-records.ts";
import { prettyLine } from "../observe/pretty-line.ts";
import { type AdminClient, CLIENT_FLAGS, openAdminClient } from "./admin-client.ts";
import { type Call, type Command, OK, type Result, UsageError, WRONG } from "./command.ts";
import { printable, quiet } from "./page.ts";

const FILTERS = ["id", "route", "status", "code", "consumer"] as const;
const FOLLOW_MS = 2_000;
/** What a page of the API holds at most. */
const MAX_PAGE = 200;

export const logs: Command = {
  name: "logs",
  summary: "shows requests that were kept: refusals, failures, slow ones, and some of the others",
  operands: "",
  maxOperands: 0,
  flags: {
    id: { type: "string", value: "id", help: "the request with this id, as a problem or `X-Request-Id` says" },
    route: { type: "string", value: "route", help: "of this route: `/orders/:id`" },
    status: { type: "string", value: "404|5xx", help: "with this status, or of this class" },
    code: { type: "string", value: "code", help: "refused with this code: rate-limited" },
    consumer: { type: "string", value: "name", help: "of this consumer: web:ada" },
    limit: { type: "string", value: "50", help: "at most so many" },
    follow: { type: "boolean", help: "goes on with new ones, until Ctrl-C" },
    ...CLIENT_FLAGS,
  },
  details:
    "Oldest first. An instance hands over what it kept within 15 s; the one that is asked does so at once.\n" +
    "With --url or GATEWAY_URL it asks that gateway, by GATEWAY_ADMIN_TOKEN. Otherwise it reads the stores of this environment: Redis where\n" +
    "it is set, else the data folder of a Node host on this machine.",
  async run(call) {
    const limit = call.one("limit") ?? "50";
    if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > MAX_PAGE)
      throw new UsageError(`--limit: expected a number from 1 to ${MAX_PAGE}, got ${JSON.stringify(limit)}.`);
    const client = await openAdminClient(call);
    try {
      const found = await requests(client, call, limit);
      if ("fault" in found) return { code: WRONG, err: found.fault };
      if (call.has("follow")) return await follow(client, call, found);
      const records = found.toReversed();
      if (records.length === 0 && !call.has("json")) return { code: OK, out: "no such request is kept." };
      return { code: OK, out: records.map((record) => textOf(record, call)).join("\n") };
    } finally {
      await client.close();
    }
  },
};

/** Newest first. */
async function requests(client: AdminClient, call: Call, limit: string): Promise<KeptRecord[] | { readonly fault: string }> {
  const query = new URLSearchParams({ limit });
  for (const name of FILTERS) {
    const value = call.one(name);
    if (value !== undefined) query.set(name, value);
  }
  const answer = await client.send("GET", `requests?${query}`);
  return "fault" in answer ? answer : (answer.body["items"] as unknown as KeptRecord[]);
}

async function follow(client: AdminClient, call: Call, first: readonly KeptRecord[]): Promise<Result> {
  const seen = new Set<string>();
  const interrupted = new AbortController();
  const stop = once(process, "SIGINT").then(() => interrupted.abort());
  let found: readonly KeptRecord[] = first;
  while (!interrupted.signal.aborted) {
    const fresh = found.filter((record) => !seen.has(nameOf(record)));
    for (const record of fresh.toReversed()) console.log(textOf(record, call));
    seen.clear();
    for (const record of found) seen.add(nameOf(record));
    await Promise.race([stop, new Promise((resolve) => setTimeout(resolve, FOLLOW_MS))]);
    const next = await requests(client, call, String(MAX_PAGE));
    // A gateway that restarts is back soon.
    if ("fault" in next) console.error(next.fault);
    else found = next;
  }
  return { code: OK };
}

/** A client may send one id several times. */
function nameOf({ requestId, time, method, path }: KeptRecord): string {
  return `${time} ${requestId} ${method} ${path}`;
}

function textOf(record: KeptRecord, call: Call): string {
  if (call.has("json")) return JSON.stringify(record);
  return `${quiet(record.time.slice(11, 23))} ${prettyLine(record, record)}  ${quiet(printable(record.requestId))}`;
}
