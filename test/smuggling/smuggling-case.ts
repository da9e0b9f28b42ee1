/** What one request of the corpus is, and the words in which its verdict is written down. */
import type { RecordedRequest } from "./recording-backend.ts";

export interface SmugglingCase {
  readonly id: string;
  /** What it tries, and on whom it would work. */
  readonly tries: string;
  /** The section that settles it; RFC numbers without "RFC". */
  readonly rfc: string;
  /** The bytes, as latin-1. */
  readonly raw: string;
  readonly verdict: Verdict;
}

export type Verdict =
  /** One answer of that status, the connection closed by the gateway, and nothing at the backend. */
  | { readonly refused: number }
  /** Refused for what it asks, not for how it is framed: the connection may go on. */
  | { readonly denied: number }
  /**
   * Exactly these at the backend, each answered 200. Then the connection goes on; or the gateway closes it, after the answer in
   * `refused` if there is one.
   */
  | { readonly passed: readonly Passed[]; readonly refused?: number; readonly closes?: true };

export interface Passed extends Pick<RecordedRequest, "method" | "target" | "body"> {
  /** Values at the backend, by name in lower case; undefined: the field must be absent. Names are compared by any spelling. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

/** A path that the gateway itself refuses: a request for it at the backend has been smuggled past the router. */
export const CLOSED = "/closed/secret";
export const SMUGGLED = `GET ${CLOSED} HTTP/1.1\r\nHost: gateway.example\r\n\r\n`;

export const refused = (status = 400): Verdict => ({ refused: status });
export const denied = (status: number): Verdict => ({ denied: status });
export const passed = (...requests: Passed[]): Verdict => ({ passed: requests });

export const get = (fields?: Passed["fields"], target = "/open"): Passed => ({
  method: "GET",
  target,
  body: "",
  ...(fields && { fields }),
});
export const post = (body: string, fields?: Passed["fields"]): Passed => ({
  method: "POST",
  target: "/open",
  body,
  ...(fields && { fields }),
});

/** A request whose field lines, and what follows them, are the case's own. */
export const withFields = (method: "GET" | "POST", lines: string, rest = ""): string =>
  `${method} /open HTTP/1.1\r\nHost: gateway.example\r\n${lines}\r\n\r\n${rest}`;
/** A request whose request line is the case's own. */
export const withLine = (line: string): string => `${line}\r\nHost: gateway.example\r\n\r\n`;
/** A chunked body of the case's own. */
export const withChunks = (chunks: string): string => withFields("POST", "Transfer-Encoding: chunked", chunks);
