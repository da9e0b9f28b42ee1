/**
 * Who calls, as a frontend's own middleware states it: `x-gateway-client: <payload>.<signature>`, both in base64url. The payload is JSON
 * with the caller's `ip`, what is known of the place, and `t`, the time in seconds; the signature is an HMAC with SHA-256 over the payload,
 * method and path. docs/frontends.md has the code that writes it.
 */

import { isHmacOf } from "../crypto/hmac.ts";
import type { Geo } from "./geo.ts";
import { geoOf, percentDecoded } from "./geo-fields.ts";
import { canonicalIp } from "./ip.ts";

export const CLIENT_HEADER = "x-gateway-client";

/** A statement that is older says who called once. */
const MAX_AGE_MS = 60_000;
/** Clocks differ a little. */
const MAX_AHEAD_MS = 5_000;
/** Nobody who signs needs more; whoever does not must not make us hash more. */
const MAX_LENGTH = 2048;
const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

/** A frontend's word about who calls (`x-gateway-client`). Only where it is believed does it change anything. */
export interface ClientStatement {
  readonly verdict: "believed" | "malformed" | "forged" | "stale" | "early";
  /** How far its clock is ahead of ours, where the signature is right. */
  readonly aheadMs?: number;
  /** Who sent it: the address of the frontend's edge. */
  readonly edge: string | undefined;
}

export interface Statement {
  readonly word: Omit<ClientStatement, "edge">;
  /** Whom it names, where it is believed. */
  readonly caller?: { readonly ip: string; readonly geo: Geo | undefined };
}

/** `target` as received: the query has no part in it, since frontends spell queries anew. */
export function readStatement(
  text: string,
  { method, target }: { readonly method: string; readonly target: string },
  secrets: readonly string[],
  nowMs: number,
): Statement {
  const [, payload, signature] = (text.length <= MAX_LENGTH && FORM.exec(text)) || [];
  if (payload === undefined || signature === undefined) return { word: { verdict: "malformed" } };
  // Bound to one method and path: what was captured on its way to one place says nothing at another (replay).
  const signed = `${payload}\n${method} ${target.split("?", 1)[0]}`;
  if (!secrets.some((secret) => isHmacOf(signed, secret, signature))) return { word: { verdict: "forged" } };
  const stated = parsePayload(payload);
  if (!stated) return { word: { verdict: "malformed" } };
  const aheadMs = Math.round(stated.seconds * 1000 - nowMs);
  if (aheadMs < -MAX_AGE_MS) return { word: { verdict: "stale", aheadMs } };
  if (aheadMs > MAX_AHEAD_MS) return { word: { verdict: "early", aheadMs } };
  return { word: { verdict: "believed", aheadMs }, caller: stated };
}

function parsePayload(payload: string): { ip: string; geo: Geo | undefined; seconds: number } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(payload, "base64url")));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const text = (name: string) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return typeof field === "string" || typeof field === "number" ? String(field) : undefined;
  };
  const ip = canonicalIp(text("ip") ?? "");
  const { t } = fields;
  if (ip === undefined || typeof t !== "number") return undefined;
  return { ip, geo: geoOf(text, percentDecoded(text("city"))), seconds: t };
}
