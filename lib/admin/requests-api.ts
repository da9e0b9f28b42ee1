/** The requests that were kept, in the admin API: by id, route, status, code and consumer, newest first. */
import type { Json } from "../contract/json.ts";
import type { StoreReply, Unavailable } from "../contract/stores/reply.ts";
import type { KeptRecord } from "../observe/kept-records.ts";
import { REQUESTS_STREAM } from "../observe/kept-records.ts";
import { type ApiContext, type Call, type Operation, refuseUnavailable } from "./api.ts";
import { CURSOR, LIMIT, NEXT } from "./audit.ts";
import type { JsonSchema } from "./json-schema.ts";

/** A call looks through so many at most; the cursor goes on from there. */
const MAX_SCANNED = 5_000;
const PAGE = 1_000;

const FILTERS = {
  id: { type: "string", description: "The request's id, as every problem has it", maxLength: 128 },
  route: { type: "string", description: "The route's id: `/orders/:id`" },
  status: { type: "string", description: "A status or a class of them: `404`, `5xx`", pattern: "^(?:\\d{3}|[1-5]xx)$" },
  code: { type: "string", description: "Why the gateway refused: `rate-limited`" },
  consumer: { type: "string", description: "Who called: `web:ada`" },
} as const satisfies Record<string, JsonSchema>;

type Filters = Partial<Record<keyof typeof FILTERS, string>>;

const REQUEST: JsonSchema = {
  type: "object",
  required: ["time", "requestId", "method", "path", "status", "source", "durationMs", "steps"],
};

/** `flush` hands over what this instance has not yet written. */
export function requestOperations({ stores }: ApiContext, flush: () => Promise<void>): readonly Operation[] {
  return [
    {
      name: "listRequests",
      method: "GET",
      path: "requests",
      summary: "Requests that were kept, newest first: refusals, failures and slow ones before others",
      query: { ...FILTERS, limit: LIMIT, cursor: { ...CURSOR, pattern: "^\\d{1,20}(?:-\\d{1,20})?$" } },
      status: 200,
      answer: {
        type: "object",
        required: ["items", "next"],
        properties: { items: { type: "array", items: REQUEST }, next: NEXT },
      },
      refuses: ["store-unavailable"],
      async run({ query }: Call) {
        await flush();
        const { limit, cursor, ...filters } = query;
        const found = await find(filters as Filters, Number(limit), cursor as string | undefined);
        if ("state" in found) return refuseUnavailable(found);
        return { body: { items: found.items as unknown as Json, next: found.next ?? null } };
      },
    },
  ];

  async function find(
    filters: Filters,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ items: KeptRecord[]; next: string | undefined } | Unavailable> {
    const items: KeptRecord[] = [];
    let before = cursor;
    for (let scanned = 0; scanned < MAX_SCANNED; scanned += PAGE) {
      const reply: StoreReply<Page> = await stores.log.page(REQUESTS_STREAM, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      });
      if (reply.state !== "ok") return reply;
      for (const { id, value } of reply.value.items) {
        const record = value as unknown as KeptRecord;
        if (!fits(record, filters)) continue;
        items.push(record);
        if (items.length === limit) return { items, next: id };
      }
      before = reply.value.next;
      if (before === undefined) break;
    }
    return { items, next: before };
  }
}

type Page = { readonly items: readonly { readonly id: string; readonly value: Json }[]; readonly next?: string | undefined };

function fits(record: KeptRecord, { id, route, status, code, consumer }: Filters): boolean {
  return (
    (id === undefined || record.requestId === id) &&
    (route === undefined || record.route === route) &&
    (code === undefined || record.code === code) &&
    (consumer === undefined || record.consumer === consumer) &&
    (status === undefined || (status.endsWith("xx") ? String(record.status)[0] === status[0] : String(record.status) === status))
  );
}
