/**
 * What the gateway tells `frontdesk doctor`, on any path: the request as it arrived, who it is from, and how backends answer from here. It
 * comes in two parts a second apart, so that whoever holds answers back on the way shows.
 */
import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Deps } from "../contract/deps.ts";
import type { HostTraits } from "../contract/host-traits.ts";
import type { LocalResponse } from "../contract/problem.ts";
import type { Client } from "../contract/request.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { cacheMarksIn } from "../http/cache-marks.ts";
import { HeaderList } from "../http/header-list.ts";
import { DOCTOR_HEADER, doctorKey, readPass } from "./doctor-pass.ts";
import { VERSION } from "./version.ts";

export interface DoctorOptions {
  readonly adminToken: string | undefined;
  readonly host: HostTraits["name"];
  /** Of Vercel, where this runs; undefined elsewhere. */
  readonly region: string | undefined;
  readonly config: CompiledConfig;
  readonly call: Deps["call"];
  now(): number;
}

/** The first part. */
export interface Seen {
  readonly nonce: string;
  readonly version: string;
  readonly host: HostTraits["name"];
  readonly region: string | null;
  /** Where the config wants it to run. */
  readonly regions: readonly string[];
  /** Epoch milliseconds. */
  readonly now: number;
  readonly method: string;
  readonly target: string;
  readonly client: { readonly ip: string | null } & Pick<Client, "geo" | "frontend">;
  /** Values by their digests: what stands in them may be secret. */
  readonly headers: readonly (readonly [name: string, digest: string])[];
}

/** The second part: each target of each backend, as it answers a HEAD from here. */
export interface SeenBackend {
  readonly backend: string;
  readonly url: string;
  readonly ms: number;
  readonly status?: number;
  readonly error?: string;
  /** How far its clock is ahead of the gateway's, to the second. */
  readonly aheadMs?: number;
  /** Fields of its answer that a cache on the way wrote. */
  readonly caches?: readonly string[];
}

export const PAUSE_MS = 1_000;
const PROBE_MS = 5_000;
const MAX_PROBES = 50;

export type Diagnose = (ctx: RequestContext) => (() => LocalResponse) | undefined;

/** Undefined for every request but the operator's doctor's. */
export function createDoctor({ adminToken, ...options }: DoctorOptions): Diagnose {
  const key = adminToken === undefined ? undefined : doctorKey(adminToken);
  let probing: Promise<SeenBackend[]> | undefined;
  /** One at a time: a pass that was captured must not make a hammer of the gateway. */
  const probeOnce = () => {
    probing ??= probeAll(options).finally(() => {
      probing = undefined;
    });
    return probing;
  };
  return ({ request, target, facts }) => {
    const pass = facts.withReserved?.get(DOCTOR_HEADER);
    const nonce = pass === undefined || key === undefined ? undefined : readPass(pass, key, options.now());
    if (nonce === undefined) return undefined;
    return () => {
      const { ip, geo, frontend } = request.client;
      const { host, region = null, config } = options;
      const seen: Seen = {
        nonce,
        version: VERSION,
        host,
        region,
        regions: config.regions,
        now: options.now(),
        method: request.method,
        target: target.raw,
        client: { ip: ip ?? null, geo, frontend },
        headers: [...request.headers].map(([name, value]) => [name.toLowerCase(), digestOf(value)] as const),
      };
      const rest = Promise.all([probeOnce(), setTimeout(PAUSE_MS)]).then(([backends]) => event("backends", backends));
      return { status: 200, headers: new HeaderList(["content-type", "text/event-stream"]), body: event("seen", seen), rest };
    };
  };
}

export function digestOf(value: string): string {
  return createHash("sha256").update(value).digest("base64url").slice(0, 16);
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function probeAll(options: Pick<DoctorOptions, "config" | "call" | "now">): Promise<SeenBackend[]> {
  const targets = options.config.backends.flatMap(({ name, targets }) => targets.map(({ url }) => ({ backend: name, url })));
  return Promise.all(targets.slice(0, MAX_PROBES).map((target) => probe(target, options)));
}

async function probe(
  { backend, url }: { backend: string; url: string },
  { call, now }: Pick<DoctorOptions, "call" | "now">,
): Promise<SeenBackend> {
  const startedMs = now();
  try {
    const { status, headers } = await call({ url, method: "HEAD", timeoutMs: PROBE_MS, maxBytes: 64 * 1024 });
    const endedMs = now();
    const date = Date.parse(headers.get("date") ?? "");
    return {
      backend,
      url,
      ms: endedMs - startedMs,
      status,
      // A Date is cut to the second.
      ...(Number.isNaN(date) ? {} : { aheadMs: Math.round(date + 500 - (startedMs + endedMs) / 2) }),
      caches: cacheMarksIn(headers),
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { backend, url, ms: now() - startedMs, error: code ?? message };
  }
}
