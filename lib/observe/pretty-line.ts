/** A request as a line for a person: `GET /orders 401 1.2 ms  credentials-invalid: the audience is "b"`. */
import { styleText } from "node:util";
import type { RequestRecord } from "../contract/record.ts";
import type { RedactedFields } from "./redaction.ts";

/** As far as a record, or a line that was kept of it. */
type Told = Pick<RequestRecord, "method" | "status" | "source" | "durationMs"> & {
  readonly code?: string | undefined;
  readonly aborted?: boolean | undefined;
  readonly attempts?: readonly unknown[] | undefined;
  readonly cacheStatus?: string | undefined;
};

type Style = Parameters<typeof styleText>[0];

/** Colours stand only where the terminal takes them (NO_COLOR and FORCE_COLOR are heeded). */
export function prettyLine(
  record: Told,
  { path, consumer, reason }: Pick<RedactedFields, "path" | "consumer" | "reason">,
): string {
  const { method, status, code, source, aborted, durationMs, attempts = [], cacheStatus } = record;
  const words = [
    `${method.padEnd(4)} ${visible(path)}`,
    styled(styleOf(status), status === 0 ? "---" : String(status)),
    styled("dim", `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`),
  ];
  const notes = [
    code === undefined ? undefined : `${code}${reason === undefined ? "" : `: ${reason}`}`,
    aborted ? "the caller has gone" : undefined,
    source === "cache" ? (cacheStatus ?? "from the cache") : undefined,
    attempts.length > 1 ? `${attempts.length} attempts` : undefined,
    consumer,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? words.join(" ") : `${words.join(" ")}  ${visible(notes.join(", "))}`;
}

function styleOf(status: number): Style {
  if (status >= 500 || status === 0) return "red";
  if (status >= 400) return "yellow";
  return status >= 300 ? "cyan" : "green";
}

function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** A caller's text must not steer the terminal that shows it. */
function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (found) => `\\x${found.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
