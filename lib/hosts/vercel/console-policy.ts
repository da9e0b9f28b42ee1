/** The console's content security policy. Next reads the nonce in the request's, and puts it on the scripts and styles that it writes. */
import { randomBytes } from "node:crypto";
import { isDevelopment } from "../../config/env.ts";

export interface ConsolePolicy {
  /** What Next gets to see. */
  readonly requestHeaders: Headers;
  readonly responseHeaders: Readonly<Record<string, string>>;
}

export function withConsolePolicy(received: Headers): ConsolePolicy {
  const nonce = randomBytes(16).toString("base64");
  const policy = policyWith(nonce, isDevelopment());
  const requestHeaders = new Headers(received);
  requestHeaders.set("content-security-policy", policy);
  return {
    requestHeaders,
    responseHeaders: {
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
    },
  };
}

/** In development Next evaluates code and writes styles without the nonce. */
function policyWith(nonce: string, inDevelopment: boolean): string {
  const own = `'self' 'nonce-${nonce}'`;
  return [
    "default-src 'self'",
    `script-src ${own} 'strict-dynamic'${inDevelopment ? " 'unsafe-eval'" : ""}`,
    inDevelopment ? "style-src 'self' 'unsafe-inline'" : `style-src ${own}`,
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join("; ");
}
