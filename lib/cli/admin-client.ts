/** The admin API as the command calls it: a running gateway's over HTTP, or the same operations on the stores of this machine. */
import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { runOperation } from "../admin/api.ts";
import { createAdminApi } from "../admin/create-api.ts";
import { AnswerStore } from "../cache/answer-store.ts";
import { purgePath } from "../cache/cache-key.ts";
import type { Purge } from "../cache/gateway-cache.ts";
import { compileConfig } from "../compiler/compile.ts";
import { loadConfig } from "../compiler/load-config.ts";
import { type Environment, readEnvironment } from "../config/env.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Json } from "../contract/json.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { isProblemCode, PROBLEMS, type RefusalCode } from "../contract/problem.ts";
import type { Blobs } from "../contract/stores/blobs.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import { createLog } from "../observe/log.ts";
import { type Call, CONFIG_FLAG, type Flag, JSON_FLAG, UsageError } from "./command.ts";
import { openStores } from "./open-stores.ts";
import { ENV_FLAG, storeEnvironment } from "./store-environment.ts";
import { storesInUse } from "./stores-in-use.ts";

export type Answer = { readonly body: Readonly<Record<string, Json>> } | { readonly fault: string };

export interface AdminClient {
  /** Whose switches and keys these are, for a person. */
  readonly where: string;
  send(method: string, path: string, body?: Json): Promise<Answer>;
  close(): Promise<void>;
}

/** Of commands that list what the client gives page by page. */
export const LIST_FLAGS: Readonly<Record<string, Flag>> = {
  limit: { type: "string", value: "50", help: "list: at most so many" },
  cursor: { type: "string", value: "cursor", help: "list: where the page before ended" },
};

/** Of commands that have such a client. */
export const CLIENT_FLAGS: Readonly<Record<string, Flag>> = {
  url: { type: "string", value: "url", help: "the admin API of this gateway, by GATEWAY_ADMIN_TOKEN; GATEWAY_URL otherwise" },
  env: ENV_FLAG,
  config: CONFIG_FLAG,
  json: JSON_FLAG,
};

const TIMEOUT_MS = 30_000;

/** For --url, else the environment's GATEWAY_URL, else the stores. */
export async function openAdminClient(call: Call): Promise<AdminClient> {
  const { url, adminToken } = readEnvironment(call.cwd);
  const address = call.one("url") ?? url;
  const hint = "Without --url and GATEWAY_URL the command works on the stores of this machine.";
  if (address !== undefined) return overHttp(address, adminToken, hint);
  const environment = storeEnvironment(call);
  return onStores(call.cwd, environment, await compiledConfig(call.cwd, environment, call.one("config")));
}

export async function compiledConfig(cwd: string, environment: Environment, file: string | undefined): Promise<CompiledConfig> {
  return compileConfig(await loadConfig(environment, { cwd, file }), { vercel: false }).config;
}

function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new UsageError(`--url: ${JSON.stringify(address)} is no http or https URL.`);
  // Whoever is in between would read the operator's token.
  const isHere = /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !isHere)
    throw new UsageError("--url: the admin token goes over https alone, except to this machine.");
  return url.origin;
}

/** A running gateway's. `hint` is said where nothing answers. */
export function overHttp(address: string, token: string | undefined, hint = ""): AdminClient {
  const origin = originOf(address);
  if (token === undefined) throw new UsageError("GATEWAY_ADMIN_TOKEN is not set: the admin API asks for it.");
  return {
    where: origin,
    async send(method, path, body) {
      const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) };
      const sent = { method, headers, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) } as const;
      let answer: Response;
      try {
        answer = await fetch(
          `${origin}/gateway/api/${path}`,
          body === undefined ? sent : { ...sent, body: JSON.stringify(body) },
        );
      } catch {
        return { fault: `${origin} could not be reached. ${hint}`.trim() };
      }
      const read = (await answer.json().catch(() => undefined)) as Record<string, Json> | undefined;
      if (answer.ok) return { body: read ?? {} };
      if (answer.status === 404 && read?.code === "route-not-found")
        return { fault: `${origin} has no admin API: is GATEWAY_ADMIN_TOKEN set there?` };
      return { fault: read?.code === undefined ? `${origin} answered ${answer.status}.` : faultOf(read as unknown as Problem) };
    },
    close: async () => {},
  };
}

async function onStores(cwd: string, environment: Environment, config: CompiledConfig): Promise<AdminClient> {
  const log = createLog();
  const stores = await openStores(cwd, log, environment);
  const random = (bytes: number) => new Uint8Array(randomBytes(bytes));
  const nothingRuns = () => {
    throw new Error("no gateway runs here");
  };
  const purge = (what: Purge) => dropStored(stores.blobs, what);
  const api = createAdminApi(
    { stores, log, config, now: Date.now, random },
    { overview: nothingRuns, purge, flush: async () => {} },
  );
  return {
    where: storesInUse(environment).node,
    async send(method, target, body = {}) {
      const [path = "", query] = target.split("?");
      const found = api.find(method, path.split("/").map(decodeURIComponent));
      if (!found || "allow" in found) return { fault: "There is no such operation." };
      const actor = { by: "command", user: userInfo().username } as const;
      const done = await runOperation(found, { query: new URLSearchParams(query), body, actor });
      return "code" in done ? { fault: faultOf(done) } : { body: (done.body ?? {}) as Readonly<Record<string, Json>> };
    },
    close: () => stores.close(),
  };
}

/** What the instances share; what one of them holds in memory alone, it drops itself. */
function dropStored(blobs: Blobs, what: Purge): MaybePromise<StoreReply<number>> {
  const store = new AnswerStore(0, blobs, "");
  if ("tag" in what) return store.dropNamed(what);
  return "path" in what ? store.dropNamed({ path: purgePath(what.path) }) : store.dropBelow(purgePath(what.prefix));
}

interface Problem {
  readonly code: RefusalCode;
  readonly detail?: string | undefined;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[] | undefined;
}

function faultOf({ code, detail, errors = [] }: Problem): string {
  if (errors.length > 0) return errors.map((error) => `${flagOf(error.pointer)}: ${error.detail}`).join("\n");
  return detail ?? `${isProblemCode(code) ? PROBLEMS[code].title : code}.`;
}

/** Fields of the API whose flags have another name. */
const FLAGS: Readonly<Record<string, string>> = { scopes: "scope", ips: "ip", routes: "route", expiresAt: "expires" };

/** Where a fault stands, as the person wrote it: `/scopes/1` is `--scope`. */
function flagOf(pointer: string): string {
  const [, field] = /^[/?](\w+)/.exec(pointer) ?? [];
  return field === undefined ? pointer : `--${FLAGS[field] ?? field}`;
}
