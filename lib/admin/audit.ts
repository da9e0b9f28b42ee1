/** The audit log: one entry for each change, without a secret in it, newest first when it is read. */
import type { Json } from "../contract/json.ts";
import type { Actor, ApiContext, Operation } from "./api.ts";
import { refuseUnavailable } from "./api.ts";
import type { JsonSchema } from "./json-schema.ts";

export interface AuditEntry {
  /** `key.created`, `key.revoked`. */
  readonly action: string;
  /** Id of what was changed. */
  readonly target: string;
  readonly actor: Actor;
  readonly details?: Readonly<Record<string, Json>>;
}

const STREAM = "audit";

/** The change is done by now: an entry that can't be written goes to the log of the process, whole. */
export async function audit({ stores, log, now }: ApiContext, entry: AuditEntry): Promise<void> {
  const value = JSON.parse(JSON.stringify(entry)) as Json;
  const reply = await stores.log.append(STREAM, value, now());
  if (reply.state !== "ok") log.error("an audit entry could not be written", { entry: value, reason: reply.reason });
}

/** Where a page goes on. */
export const CURSOR = {
  type: "string",
  description: "`next` of the page before",
  pattern: "^[\\w:.-]{1,100}$",
} as const satisfies JsonSchema;
export const LIMIT = {
  type: "integer",
  description: "At most so many",
  minimum: 1,
  maximum: 200,
  default: 50,
} as const satisfies JsonSchema;
export const NEXT = {
  type: ["string", "null"],
  description: "Hand it over as `cursor` for the next page; null on the last",
} as const satisfies JsonSchema;

const ENTRY: JsonSchema = {
  type: "object",
  required: ["id", "time", "action", "target", "actor"],
  properties: {
    id: { type: "string" },
    time: { type: "string", format: "date-time" },
    action: { type: "string", description: "What was done: `key.created`" },
    target: { type: "string", description: "Id of what was changed" },
    actor: {
      type: "object",
      required: ["by"],
      properties: {
        by: { type: "string", enum: ["operator", "command"], description: "By the API, or by the command on the store itself" },
        ip: { type: "string" },
        user: { type: "string", description: "Of the machine that the command ran on" },
        userAgent: { type: "string" },
        requestId: { type: "string" },
      },
    },
    details: { type: "object" },
  },
};

export function auditOperations({ stores }: ApiContext): readonly Operation[] {
  return [
    {
      name: "listAudit",
      method: "GET",
      path: "audit",
      summary: "What was changed, by whom and from where, newest first",
      query: { limit: LIMIT, cursor: { ...CURSOR, pattern: "^\\d{1,20}(?:-\\d{1,20})?$" } },
      status: 200,
      answer: { type: "object", required: ["items", "next"], properties: { items: { type: "array", items: ENTRY }, next: NEXT } },
      refuses: ["store-unavailable"],
      async run({ query: { limit, cursor } }) {
        const before = cursor === undefined ? {} : { before: String(cursor) };
        const reply = await stores.log.page(STREAM, { limit: Number(limit), ...before });
        if (reply.state !== "ok") return refuseUnavailable(reply);
        const items = reply.value.items.map(({ id, timeMs, value }) => ({
          id,
          time: new Date(timeMs).toISOString(),
          ...(value as Readonly<Record<string, Json>>),
        }));
        return { body: { items, next: reply.value.next ?? null } };
      },
    },
  ];
}
