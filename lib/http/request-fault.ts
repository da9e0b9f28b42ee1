/** What a lax parser lets pass although another could read it differently: refused before anything is decided, and the connection ended. */
import type { GatewayRequest } from "../exchange.ts";
import { authorityOf } from "./target.ts";

/** uri-host [ ":" port ] (RFC 3986 section 3.2.2), without characters that only attacks have. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** In words for the problem, or undefined. Malformed fields and lengths have been refused by the parser before. */
export function requestFault({ httpVersion, headers, target }: GatewayRequest): string | undefined {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return "a version other than HTTP/1.0 and HTTP/1.1";
  let hosts = 0;
  let codings = 0;
  const { pairs } = headers;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!;
    const value = pairs[i + 1]!;
    if (name.length === 4 && name.toLowerCase() === "host") {
      // RFC 9112 section 3.2: two Host lines, or one that is no host, get 400. Which of two would the backend believe?
      if (++hosts > 1 || (value !== "" && !HOST.test(value))) return "a Host that is not one host";
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      // Any other coding would have to be undone here, since the field goes no further (RFC 9112 section 6.1); HTTP/1.0 had none.
      const isChunked = value.trim().toLowerCase() === "chunked";
      if (++codings > 1 || !isChunked || httpVersion === "1.0") return "a Transfer-Encoding other than chunked";
    }
  }
  const authority = authorityOf(target);
  return authority !== undefined && !HOST.test(authority) ? "an authority in the target that is not one host" : undefined;
}
