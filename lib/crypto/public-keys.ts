/** Public keys as a config or a variable holds them: PEM, a JWK (RFC 7517) or a JWK set. */
import { createPublicKey } from "node:crypto";
import type { JWK } from "jose";
import { usableKey, usableKeys } from "./usable-keys.ts";

/** Undefined where it is none, or one that must not verify anything. */
export function readPublicKeys(text: string): readonly JWK[] | undefined {
  try {
    const keys = /-----BEGIN /.test(text) ? readPem(text) : readJson(text);
    return keys && keys.length > 0 ? keys : undefined;
  } catch {
    return undefined;
  }
}

/** A variable often holds `\n` for a line's end. A private key is refused: it has no business here. */
function readPem(text: string): JWK[] | undefined {
  const blocks = text.replaceAll("\\n", "\n").match(/-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g) ?? [];
  if (blocks.some((block) => block.includes("PRIVATE"))) return undefined;
  return allOf(blocks.map((block) => createPublicKey(block).export({ format: "jwk" })));
}

function readJson(text: string): JWK[] | undefined {
  const value = JSON.parse(text) as unknown;
  if (typeof value === "object" && value !== null && "keys" in value) return usableKeys(value);
  return isPrivate(value) ? undefined : allOf([value]);
}

function isPrivate(key: unknown): boolean {
  return typeof key === "object" && key !== null && ("d" in key || "k" in key);
}

/** A key that was written down is meant: one that can't be used is a fault, not left out. */
function allOf(keys: readonly unknown[]): JWK[] | undefined {
  const usable = keys.map(usableKey);
  return usable.every((key) => key !== undefined) ? usable : undefined;
}
