/** Asks an issuer for its keys: its metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414), then the key set that this names. */
import type { JWK } from "jose";
import type { Deps } from "../../contract/deps.ts";
import { usableKeys } from "../../crypto/usable-keys.ts";
import { isLoopbackUrl } from "../../http/origin.ts";
import type { KeysAddress } from "./key-source.ts";
import { quoted } from "./token.ts";

/** Nobody waits for so long: it runs on in the background. */
const TIMEOUT_MS = 10_000;
const MAX_METADATA_BYTES = 64 * 1024;
const MAX_KEYS_BYTES = 256 * 1024;

/** Throws an error that says, for the operator, what was wrong with an answer. */
export async function fetchKeys({ issuer, jwks }: KeysAddress, call: Deps["call"]): Promise<JWK[]> {
  const address = jwks ?? (await keysAddressOf(issuer!, call));
  const answer = await ask(address, MAX_KEYS_BYTES, call);
  if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`);
  try {
    return usableKeys(answer.value);
  } catch (error) {
    throw new Error(`${address}: ${(error as Error).message}`);
  }
}

async function keysAddressOf(issuer: string, call: Deps["call"]): Promise<string> {
  const [first, second] = metadataAddresses(issuer);
  let address = first;
  let answer = await ask(first, MAX_METADATA_BYTES, call);
  if (answer.status >= 400 && answer.status < 500) {
    address = second;
    answer = await ask(second, MAX_METADATA_BYTES, call);
    if (answer.status !== 200) throw new Error(`${first} and ${second} have no metadata (the second answered ${answer.status})`);
  }
  if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`);
  const { issuer: own, jwks_uri: keys } = (answer.value ?? {}) as { issuer?: unknown; jwks_uri?: unknown };
  // OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3: else one issuer could speak for another (mix-up).
  if (own !== issuer)
    throw new Error(
      `the config names the issuer ${quoted(issuer)}, and ${address} says ${quoted(own)}: write it as the issuer does, to the last slash`,
    );
  if (typeof keys !== "string" || !URL.canParse(keys)) throw new Error(`${address} names no jwks_uri`);
  // Only an issuer on this machine may have its keys there, and unencrypted: metadata must not point into the network (SSRF).
  if (!keys.startsWith("https://") && !(isLoopbackUrl(keys) && isLoopbackUrl(issuer)))
    throw new Error(`${address} names the jwks_uri ${quoted(keys)}, which is not https`);
  return keys;
}

/** OpenID Connect appends to the issuer; RFC 8414 section 3.1 puts the well-known part before the issuer's path. */
function metadataAddresses(issuer: string): [string, string] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`];
}

/** A redirect is an answer like others: it could lead anywhere. */
async function ask(url: string, maxBytes: number, call: Deps["call"]): Promise<{ status: number; value: unknown }> {
  const headers = ["accept", "application/json"];
  const { status, body } = await call({ url, headers, timeoutMs: TIMEOUT_MS, maxBytes }).catch((error: unknown) => {
    throw new Error(`${url} gave no answer (${faultIn(error)})`);
  });
  if (status !== 200) return { status, value: undefined };
  try {
    return { status, value: JSON.parse(Buffer.from(body).toString("utf8")) };
  } catch {
    throw new Error(`${url} answered with something that is no JSON`);
  }
}

function faultIn(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === "string" ? code : String(message ?? error);
}
