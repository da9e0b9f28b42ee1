/** The cache in the admin API: `POST /gateway/api/purge` drops stored answers. */
import type { Purge } from "../cache/gateway-cache.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { Refusal } from "../contract/problem.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import { type ApiContext, type Call, type Done, type Operation, refuseFaults, refuseUnavailable } from "./api.ts";
import { audit } from "./audit.ts";
import type { JsonSchema } from "./json-schema.ts";

/** What a running gateway does of it; how many were dropped. */
export type PurgeAnswers = (what: Purge) => MaybePromise<StoreReply<number>>;

const WHAT: JsonSchema = {
  type: "object",
  properties: {
    tag: { type: "string", minLength: 1, description: "Answers that the config or the backend gave this tag" },
    path: { type: "string", pattern: "^/", description: "This path with every query, on every host: `/products/1`" },
    prefix: { type: "string", pattern: "^/", description: "Every path that begins so: `/products/`" },
    everything: { type: "boolean", description: "`true`: all of them" },
  },
  additionalProperties: false,
};

export function purgeOperations(context: ApiContext, purge: PurgeAnswers): readonly Operation[] {
  return [
    {
      name: "purge",
      method: "POST",
      path: "purge",
      summary: "Drops stored answers: by tag, path or prefix, or everything",
      body: WHAT,
      status: 200,
      answer: { type: "object", required: ["purged"], properties: { purged: { type: "integer" } } },
      refuses: ["store-unavailable"],
      async run({ body, actor }: Call): Promise<Done | Refusal> {
        const what = readPurge(body as Readonly<Record<string, unknown>>);
        if (!what) return refuseFaults([{ pointer: "", detail: "expected one of tag, path, prefix and everything: true" }]);
        const reply = await purge(what);
        if (reply.state !== "ok") return refuseUnavailable(reply);
        const [by, value] = Object.entries(what)[0]!;
        await audit(context, { action: "cache.purged", target: `${by} ${value}`, actor, details: { purged: reply.value } });
        return { body: { purged: reply.value } };
      },
    },
  ];
}

/** Undefined for anything but one of them. */
function readPurge(body: Readonly<Record<string, unknown>>): Purge | undefined {
  if (Object.keys(body).length !== 1) return undefined;
  if (body["everything"] !== undefined) return body["everything"] === true ? { prefix: "" } : undefined;
  return body as unknown as Purge;
}
