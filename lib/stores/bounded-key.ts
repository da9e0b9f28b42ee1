/** Keys hold text that callers choose (header values, tokens): a long one is kept as its digest, so that it can't fill memory. */
import { createHash } from "node:crypto";

const MAX_LENGTH = 200;

export function boundedKey(key: string): string {
  return key.length <= MAX_LENGTH ? key : `sha256:${createHash("sha256").update(key).digest("base64url")}`;
}
