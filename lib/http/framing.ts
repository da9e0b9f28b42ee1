/** Whether a message has a body: its framing says so, whatever its method (RFC 9112 section 6.3). */
import type { HeaderList } from "./header-list.ts";

export function hasBody(headers: HeaderList): boolean {
  const length = headers.get("content-length");
  return length === undefined ? headers.has("transfer-encoding") : Number(length) > 0;
}
