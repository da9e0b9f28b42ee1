/** `observe` as compiled: what the request log holds. Absent settings have their defaults. */

export interface CompiledObserve {
  /** Absent: "json", and "pretty" where a person starts the gateway by hand. */
  readonly log?: LogFormat | false;
  /** The first rule that fits a request counts; absent: every request is logged. */
  readonly sample?: readonly SampleRule[];
  /** Names of path parameters, and of fields of a line. Their values are replaced. */
  readonly redact?: { readonly params: readonly string[]; readonly fields: readonly RedactableField[] };
  /** Absent: requests are counted. */
  readonly metrics?: false;
  /** Absent: the whole address. */
  readonly clientIp?: "truncated" | false;
}

export type LogFormat = "json" | "pretty";

export interface SampleRule {
  /** The path of routes, as the config has it. Absent: of every route, and of requests without one. */
  readonly route?: string;
  /** The first digit of a status: 2 for 2xx. Absent: any. */
  readonly statusClass?: number;
  /** Of the requests that fit: 0.1 for a tenth. */
  readonly share: number;
}

export const REDACTABLE_FIELDS = ["path", "host", "consumer", "reason"] as const;
export type RedactableField = (typeof REDACTABLE_FIELDS)[number];
