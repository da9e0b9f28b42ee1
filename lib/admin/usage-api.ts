/** Limits in the admin API: what a caller has used, read and forgotten, and exceptions for single consumers. */
import type { Json } from "../contract/json.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import { canonicalIp } from "../http/ip.ts";
import { MAX_OVERRIDES, type Overrides, readOverride, readOverrides, writeOverrides } from "../policies/limit/overrides.ts";
import { readUsage, resetUsage, type UsageQuery } from "../policies/limit/usage-report.ts";
import { type ApiContext, type Call, type Done, type Operation, refuseFaults, refuseUnavailable } from "./api.ts";
import { audit } from "./audit.ts";
import { unknownName } from "./config-names.ts";
import type { Fault, JsonSchema } from "./json-schema.ts";

const MAX_CONSUMER_LENGTH = 200;

const WHO: Readonly<Record<string, JsonSchema>> = {
  consumer: { type: "string", description: "Whose: an id such as `people:ada`", minLength: 1, maxLength: MAX_CONSUMER_LENGTH },
  ip: { type: "string", description: "The address, for limits that count by it" },
  tier: { type: "string", description: "The consumer's tier where it is not the first: only its credentials say" },
};

const OVERRIDE: JsonSchema = {
  type: "object",
  properties: {
    tier: { type: "string", description: "Counts as this tier, whatever the credentials say" },
    limits: { type: "object", description: "Amounts by the names of limits, in place of the config's" },
  },
  additionalProperties: false,
};

export function usageOperations(context: ApiContext): readonly Operation[] {
  const { stores, config, now } = context;
  const authenticators = new Set(config.authenticators.map(({ name }) => name));

  async function usage({ query }: Call): Promise<Done | Refusal> {
    const who = readWho(query, authenticators);
    if ("pointer" in who) return refuseFaults([who]);
    const reply = await readUsage(config, stores, who, now());
    return reply.state === "ok" ? { body: asJson(reply.value) } : refuseUnavailable(reply);
  }

  async function reset({ query, actor }: Call): Promise<Done | Refusal> {
    const who = readWho(query, authenticators);
    if ("pointer" in who) return refuseFaults([who]);
    const reply = await resetUsage(config, stores, who, now());
    if (reply.state !== "ok") return refuseUnavailable(reply);
    await audit(context, { action: "usage.reset", target: who.consumer ?? who.ip ?? "", actor });
    return { body: asJson({ reset: reply.value }) };
  }

  async function all(): Promise<Done | Refusal> {
    const reply = await readOverrides(stores.blobs, now());
    return reply.state === "ok" ? { body: asJson(Object.fromEntries(reply.value)) } : refuseUnavailable(reply);
  }

  async function one({ params }: Call): Promise<Done | Refusal> {
    const reply = await readOverrides(stores.blobs, now());
    if (reply.state !== "ok") return refuseUnavailable(reply);
    const override = reply.value.get(params["consumer"]!);
    return override ? { body: asJson(override) } : NOT_FOUND;
  }

  async function put({ params, body, actor }: Call): Promise<Done | Refusal> {
    const consumer = params["consumer"]!;
    const override = readOverride(body as Json);
    if (typeof override === "string") return refuseFaults([{ pointer: "", detail: override }]);
    if (consumer.length > MAX_CONSUMER_LENGTH) return refuseFaults([{ pointer: "", detail: "the path names no consumer" }]);
    const known = await readOverrides(stores.blobs, now());
    if (known.state !== "ok") return refuseUnavailable(known);
    const next = new Map(known.value).set(consumer, override);
    if (next.size > MAX_OVERRIDES)
      return refuse("conflict", { detail: `There are ${MAX_OVERRIDES} overrides already: for more, make a tier.` });
    return write(next, { action: "override.set", target: consumer, actor, details: { override: asJson(override) } }, override);
  }

  async function remove({ params, actor }: Call): Promise<Done | Refusal> {
    const consumer = params["consumer"]!;
    const known = await readOverrides(stores.blobs, now());
    if (known.state !== "ok") return refuseUnavailable(known);
    if (!known.value.has(consumer)) return NOT_FOUND;
    const left = new Map(known.value);
    left.delete(consumer);
    return write(left, { action: "override.removed", target: consumer, actor }, { removed: consumer });
  }

  async function write(overrides: Overrides, entry: Parameters<typeof audit>[1], shown: object): Promise<Done | Refusal> {
    const reply = await writeOverrides(stores.blobs, overrides, now());
    if (reply.state !== "ok") return refuseUnavailable(reply);
    await audit(context, entry);
    return { body: asJson(shown) };
  }

  const ofConsumer = { path: "overrides/{consumer}", status: 200, refuses: ["not-found", "store-unavailable"] } as const;
  return [
    {
      name: "getUsage",
      method: "GET",
      path: "usage",
      summary: "What was used and is left of a caller's own limits; nothing is taken",
      query: WHO,
      status: 200,
      answer: { type: "object" },
      refuses: ["store-unavailable"],
      run: usage,
    },
    {
      name: "resetUsage",
      method: "DELETE",
      path: "usage",
      summary: "Forgets what a caller has used",
      query: WHO,
      status: 200,
      answer: { type: "object", required: ["reset"], properties: { reset: { type: "array", items: { type: "string" } } } },
      refuses: ["store-unavailable"],
      run: reset,
    },
    {
      name: "listOverrides",
      method: "GET",
      path: "overrides",
      summary: "Every exception, by consumer",
      status: 200,
      answer: { type: "object" },
      refuses: ["store-unavailable"],
      run: all,
    },
    { ...ofConsumer, name: "getOverride", method: "GET", summary: "A consumer's exception", answer: OVERRIDE, run: one },
    {
      ...ofConsumer,
      name: "putOverride",
      method: "PUT",
      summary: "Makes an exception for a consumer, in force everywhere within 5 s",
      body: OVERRIDE,
      answer: OVERRIDE,
      refuses: ["conflict", "store-unavailable"],
      run: put,
    },
    {
      ...ofConsumer,
      name: "deleteOverride",
      method: "DELETE",
      summary: "The config holds again for a consumer",
      answer: { type: "object", required: ["removed"], properties: { removed: { type: "string" } } },
      run: remove,
    },
  ];
}

const NOT_FOUND = refuse("not-found", { detail: "There is no override for this consumer." });

function readWho({ consumer, ip, tier }: Call["query"], authenticators: ReadonlySet<string>): UsageQuery | Fault {
  const address = ip === undefined ? undefined : canonicalIp(String(ip));
  if (ip !== undefined && address === undefined) return { pointer: "?ip", detail: "expected an IP address" };
  if (consumer === undefined && ip === undefined) return { pointer: "?consumer", detail: "say whose usage: `consumer` or `ip`" };
  const [authenticator = ""] = String(consumer).split(":", 1);
  const fault = consumer === undefined ? undefined : unknownName("authenticator", authenticator, authenticators);
  if (fault !== undefined)
    return { pointer: "?consumer", detail: `expected \`<authenticator>:<name>\`, such as \`people:ada\`: ${fault}` };
  return { consumer: text(consumer), ip: address, tier: text(tier) };
}

function text(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** As JSON has it: without what is undefined. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
