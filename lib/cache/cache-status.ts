/** Cache-Status (RFC 9211): what the gateway's cache did with a request, in one member of the list. */

export interface CacheStatus {
  readonly hit?: boolean;
  /** Why the backend was asked (section 2.2). */
  readonly fwd?: "bypass" | "method" | "uri-miss" | "vary-miss" | "stale" | "request";
  readonly fwdStatus?: number | undefined;
  /** Seconds of freshness left; negative for a stale answer. */
  readonly ttl?: number;
  readonly stored?: boolean;
  readonly collapsed?: boolean;
  /** A token of ours. */
  readonly detail?: string | undefined;
}

export function statusText({ hit, fwd, fwdStatus, ttl, stored, collapsed, detail }: CacheStatus): string {
  let text = "frontdesk";
  if (hit) text += "; hit";
  if (fwd !== undefined) text += `; fwd=${fwd}`;
  if (fwdStatus !== undefined) text += `; fwd-status=${fwdStatus}`;
  if (ttl !== undefined) text += `; ttl=${ttl}`;
  if (stored) text += "; stored";
  if (collapsed) text += "; collapsed";
  if (detail !== undefined) text += `; detail=${detail}`;
  return text;
}
