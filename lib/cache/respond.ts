/** What a caller gets of a stored answer: all of it, a range, its head, or that nothing has changed (RFC 9110 sections 13 and 14). */

import type { CacheOptions } from "../contract/caching.ts";
import { refuse } from "../contract/problem.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { readByteRange } from "../http/byte-range.ts";
import { forbidSharedCaches, forOneCaller } from "../http/cache-control.ts";
import { allowsRange, isNotModified, type Validators } from "../http/conditions.ts";
import { HeaderList } from "../http/header-list.ts";
import { addVary } from "../http/vary.ts";
import { finishHead } from "../proxy/response-head.ts";
import type { Run } from "../proxy/run.ts";
import { cdnFields } from "./cdn-fields.ts";
import type { Entry, StoredAnswer } from "./entry.ts";
import { ageMs, type Freshness } from "./freshness.ts";
import type { RequestTraits } from "./request-traits.ts";
import { codingsOf } from "./storable.ts";

/** What everybody gets of an answer on a route: its fields, and what caches in front and the browser may do with it. */
export function sentFields(
  answer: Pick<StoredAnswer, "pairs" | "cacheControl" | "freshness" | "tags">,
  options: CacheOptions,
): string[] {
  const headers = new HeaderList([...answer.pairs]);
  for (const name of [...options.vary, ...codingsOf(headers)]) addVary(headers, name);
  if (options.cdn !== false) return [...headers.pairs, ...cdnFields(answer, options.cdn)];
  // A browser may keep it and ask whether it is still right, which costs the backend nothing.
  headers.pairs.push(
    "cache-control",
    answer.cacheControl === undefined ? "private, no-cache" : forOneCaller(answer.cacheControl),
  );
  forbidSharedCaches(headers.pairs);
  return headers.pairs;
}

/** Sends a stored answer; the request's cacheStatus says how it came about. */
export function sendEntry(run: Run, traits: RequestTraits, entry: Entry, nowMs: number): void {
  const { ctx, sink } = run;
  const age = Math.floor(ageMs(entry.freshness, nowMs) / 1000);
  const part = partFor(ctx, traits, entry, nowMs);
  ctx.setAnswer(ctx.status, "cache");
  // It waits for no fill any more.
  run.onClose = undefined;
  if (sink.closed) {
    ctx.complete(false);
    return;
  }
  part.pairs.push("age", String(age));
  if (!sendHead(run, { ...part, source: "cache", statusText: "", isStorable: true })) return;
  const { body } = part;
  if (body.length === 0 || ctx.request.method === "HEAD") {
    sink.end();
    return;
  }
  ctx.countSent(body.length);
  sink.end(body);
}

interface SentHead {
  readonly status: number;
  readonly pairs: string[];
  readonly source: "backend" | "cache";
  readonly statusText: string;
  /** Whether others may get it, too. */
  readonly isStorable: boolean;
}

/** False where a policy threw while it shaped the head: the caller then has got a problem. */
export function sendHead(run: Run, { status, pairs, source, statusText, isStorable }: SentHead): boolean {
  const { ctx, sink, proxy } = run;
  try {
    const isForAll = isStorable && ctx.pipeline.cache?.options.cdn !== false;
    const head = finishHead(ctx, status, pairs, isForAll);
    ctx.setAnswer(head.status, source);
    sink.head(head.status, head.status === status ? statusText : "", head.pairs);
    return true;
  } catch (error) {
    proxy.deps.log.error("a policy threw while shaping an answer", { requestId: ctx.requestId, error: String(error) });
    run.refuse(refuse("internal", { reason: String(error) }));
    return false;
  }
}

interface Part {
  readonly status: number;
  readonly pairs: string[];
  readonly body: Uint8Array;
}

const NO_BODY = new Uint8Array();

function partFor({ request }: RequestContext, traits: RequestTraits, entry: Entry, nowMs: number): Part {
  const { status, sent, body, validators } = entry;
  const { headers, method } = request;
  if (status === 200 && traits.isConditional && isNotModified(headers, validators, nowMs)) return notModified(sent, validators);
  if (status === 200 && traits.hasRange && method === "GET" && allowsRange(headers, validators, nowMs)) {
    const range = readByteRange(headers.get("range") ?? "", body.length);
    if (range === "unsatisfiable") {
      const pairs = without(sent, ["content-length", "content-encoding", "content-type", "etag", "last-modified"]);
      pairs.push("content-range", `bytes */${body.length}`, "content-length", "0");
      return { status: 416, pairs, body: NO_BODY };
    }
    if (range) {
      const { first, last } = range;
      const pairs = without(sent, ["content-length"]);
      pairs.push("content-range", `bytes ${first}-${last}/${body.length}`, "content-length", String(last - first + 1));
      return { status: 206, pairs, body: body.subarray(first, last + 1) };
    }
  }
  return { status, pairs: sent.slice(), body };
}

/** RFC 9110 section 15.4.5: what describes the body that is not sent is left out. */
export function notModified(sent: readonly string[], { etag }: Pick<Validators, "etag">): Part {
  const described = ["content-length", "content-encoding", "content-type", "content-language", "content-range"];
  const pairs = without(sent, etag === undefined ? described : [...described, "last-modified"]);
  return { status: 304, pairs, body: NO_BODY };
}

export function without(pairs: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    if (!names.includes(pairs[i]!.toLowerCase())) kept.push(pairs[i]!, pairs[i + 1]!);
  }
  return kept;
}

/** Age of an answer that has just come, where it was kept somewhere else before. */
export function earlierAge({ initialAgeMs }: Freshness): string[] {
  return initialAgeMs >= 1000 ? ["age", String(Math.floor(initialAgeMs / 1000))] : [];
}
