/** Whether a message has a body: its framing says so, whatever its method (RFC 9112 section 6.3). */
import type { RequestFacts } from "./sanitize-headers.ts";

export function hasBody({ contentLength, transferEncoding }: RequestFacts): boolean {
  return contentLength === undefined ? transferEncoding !== undefined : contentLength > 0;
}

/** Answers that never have one, nor a length of one, whatever their fields say (RFC 9110 section 6.4.1). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}
