/** What the operator asks and changes of limits: `/gateway/api/usage` and `/gateway/api/overrides`. */
import type { Readable } from "node:stream";
import { BodyFault, CountedBody, collectBody } from "../backends/request-body.ts";
import type { CompiledConfig } from "../config/compiled.ts";
import type { Json } from "../exchange.ts";
import { HeaderList } from "../http/header-list.ts";
import { canonicalIp } from "../http/ip.ts";
import { MAX_OVERRIDES, type Overrides, readOverride, readOverrides, writeOverrides } from "../policies/limit/overrides.ts";
import { readUsage, resetUsage, type UsageQuery } from "../policies/limit/usage-report.ts";
import { type Answer, type Refusal, refuse } from "../problem.ts";
import type { StoreReply } from "../stores/reply.ts";
import type { Stores } from "../stores/stores.ts";

/** A request to the admin API whose caller has been admitted. */
export interface ApiRequest {
  readonly method: string;
  /** Segments below `/gateway/api`, decoded. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readable | null;
}

/** Undefined for a path that it does not have. */
export type Api = (request: ApiRequest) => Promise<Answer | Refusal> | undefined;

export interface UsageApiOptions {
  readonly stores: Stores;
  readonly now: () => number;
  /** Of the gateway that runs now. */
  readonly config: () => CompiledConfig;
}

const MAX_BODY_BYTES = 64 * 1024;
const MAX_CONSUMER_LENGTH = 200;

export function createUsageApi({ stores, now, config }: UsageApiOptions): Api {
  async function usage({ method, query }: ApiRequest): Promise<Answer | Refusal> {
    const who = readQuery(query);
    if (typeof who === "string") return refuse("bad-request", { detail: who });
    if (method === "DELETE") return answer(await resetUsage(config(), stores, who, now()), (reset) => ({ reset }));
    return isRead(method)
      ? answer(await readUsage(config(), stores, who, now()), (report) => report)
      : notAllowed("GET, HEAD, DELETE");
  }

  async function all({ method }: ApiRequest): Promise<Answer | Refusal> {
    if (!isRead(method)) return notAllowed("GET, HEAD");
    return answer(await readOverrides(stores.blobs, now()), (overrides) => Object.fromEntries(overrides));
  }

  async function one(request: ApiRequest, consumer: string): Promise<Answer | Refusal> {
    const { method } = request;
    if (consumer === "" || consumer.length > MAX_CONSUMER_LENGTH)
      return refuse("bad-request", { detail: "That is no consumer." });
    const known = await readOverrides(stores.blobs, now());
    if (known.state !== "ok") return away(known.reason);
    if (method === "PUT") return put(request, consumer, known.value);
    const override = known.value.get(consumer);
    if (override === undefined) return refuse("route-not-found", { detail: "There is no override for this consumer." });
    if (isRead(method)) return json(override);
    if (method !== "DELETE") return notAllowed("GET, HEAD, PUT, DELETE");
    const left = new Map(known.value);
    left.delete(consumer);
    return answer(await writeOverrides(stores.blobs, left, now()), () => ({ removed: consumer }));
  }

  async function put({ body }: ApiRequest, consumer: string, known: Overrides): Promise<Answer | Refusal> {
    const value = await readJson(body);
    if (value instanceof BodyFault) return refuse(value.code, { detail: value.message });
    const override = value === undefined ? "expected JSON" : readOverride(value);
    if (typeof override === "string") return refuse("bad-request", { detail: `The override does not fit: ${override}.` });
    const next = new Map(known).set(consumer, override);
    if (next.size > MAX_OVERRIDES) {
      return refuse("bad-request", { detail: `There are ${MAX_OVERRIDES} overrides already: for more, make a tier.` });
    }
    return answer(await writeOverrides(stores.blobs, next, now()), () => override);
  }

  return (request) => {
    const [first, second, ...rest] = request.path;
    if (rest.length > 0) return undefined;
    if (first === "usage" && second === undefined) return usage(request);
    if (first !== "overrides") return undefined;
    return second === undefined ? all(request) : one(request, second);
  };
}

/** Or what is wrong with it. */
function readQuery(query: URLSearchParams): UsageQuery | string {
  const consumer = query.get("consumer") ?? undefined;
  const given = query.get("ip");
  const ip = given === null ? undefined : canonicalIp(given);
  if (given !== null && ip === undefined) return `${JSON.stringify(given)} is no IP address.`;
  if (consumer === undefined && ip === undefined) return "Say whose usage: `?consumer=` or `?ip=`.";
  return { consumer, ip, tier: query.get("tier") ?? undefined };
}

async function readJson(body: Readable | null): Promise<Json | BodyFault | undefined> {
  if (!body) return undefined;
  try {
    const bytes = await collectBody(new CountedBody(body, MAX_BODY_BYTES, undefined, () => {}));
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as Json;
  } catch (error) {
    return error instanceof BodyFault ? error : undefined;
  }
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function notAllowed(methods: string): Refusal {
  return refuse("method-not-allowed", { headers: ["allow", methods] });
}

function answer<T>(reply: StoreReply<T>, show: (value: T) => unknown): Answer | Refusal {
  return reply.state === "ok" ? json(show(reply.value)) : away(reply.reason);
}

function away(reason: string): Refusal {
  return refuse("store-unavailable", { headers: ["retry-after", "1"], reason });
}

function json(value: unknown): Answer {
  const headers = new HeaderList(["content-type", "application/json", "cache-control", "no-store"]);
  return { status: 200, headers, body: `${JSON.stringify(value)}\n` };
}
