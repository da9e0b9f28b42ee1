/** The admin API over HTTP: who may call is settled; here a request becomes a call, and what was done an answer. */

import type { Clock } from "../contract/deps.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { EarlyResponse } from "../engine/run-steps.ts";
import { HeaderList } from "../http/header-list.ts";
import { refuseForced } from "./admit.ts";
import { type Api, type Done, refuseFaults, runOperation } from "./api.ts";
import { readBody } from "./read-body.ts";

const MAX_BODY_BYTES = 64 * 1024;
/** RFC 8259; for a change also RFC 7396, since `null` removes. */
const JSON_TYPE = /^application\/(?:json|merge-patch\+json)\s*(?:;|$)/i;

/** `segments` below /gateway/api/. */
export async function answerApi(
  ctx: RequestContext,
  segments: readonly string[],
  api: Api,
  clock: Clock,
): Promise<EarlyResponse> {
  const { request, target, requestId } = ctx;
  const { method, headers, client } = request;
  const found = api.find(method, segments);
  if (!found) return refuse("route-not-found");
  if ("allow" in found) return refuse("method-not-allowed", { headers: ["allow", found.allow.join(", ")] });
  const forced = refuseForced(request);
  if (forced) return forced;
  const body = found.operation.body ? await readJson(ctx, clock) : {};
  if (isRefusal(body)) return body.refusal;
  const actor = { by: "operator", ip: client.ip, userAgent: headers.get("user-agent")?.slice(0, 200), requestId } as const;
  const done = await runOperation(found, { query: target.query, body, actor });
  return "code" in done ? done : answerOf(found.operation.status, done);
}

/** Set apart from any JSON value by its class. */
class Unread {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    this.refusal = refusal;
  }
}

function isRefusal(body: unknown): body is Unread {
  return body instanceof Unread;
}

async function readJson(ctx: RequestContext, clock: Clock): Promise<unknown> {
  const bytes = await readBody(ctx, MAX_BODY_BYTES, clock);
  if (!(bytes instanceof Uint8Array)) return new Unread(bytes);
  // Next hands over a stream for every POST, also where nothing was sent.
  if (bytes.length === 0) return {};
  // No form can send this, and a script of another page may not (CORS asks first, and nobody answers).
  if (!JSON_TYPE.test(ctx.request.headers.get("content-type") ?? ""))
    return new Unread(
      refuse("unsupported-media-type", { detail: "Send application/json.", headers: ["accept", "application/json"] }),
    );
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return new Unread(refuseFaults([{ pointer: "", detail: "the body is not JSON in UTF-8" }]));
  }
}

function answerOf(status: number, { body, headers = [] }: Done): EarlyResponse {
  if (body === undefined) return { status, headers: new HeaderList([...headers]), body: null };
  const fields = ["content-type", "application/json", "cache-control", "no-store", ...headers];
  return { status, headers: new HeaderList(fields), body: `${JSON.stringify(body)}\n` };
}
