/** Why a request ended as it did, in a line for people: the refusal, who answered in the backend's place, what was tried before. */
import type { AttemptRecord, RequestRecord } from "../contract/record.ts";

/** As far as a record, or a line that was kept of it. */
interface Told extends Pick<RequestRecord, "reason" | "steps"> {
  readonly code?: string | undefined;
  readonly attempts?: RequestRecord["attempts"] | undefined;
}

/** Undefined for a request that went its plain way. */
export function whyOf({ code, reason, steps, attempts = [] }: Told): string | undefined {
  const answering = steps.find(({ verdict }) => verdict === "answered");
  const parts = [
    [code, reason].filter((part) => part !== undefined).join(": "),
    answering && `answered by ${answering.policy}${answering.reason === undefined ? "" : `: ${answering.reason}`}`,
    // The last one is what the status and the reason speak of.
    attempts.length > 1 ? `tried again after ${attempts.slice(0, -1).map(failureText).join(", ")}` : undefined,
  ];
  return parts.filter(Boolean).join("; ") || undefined;
}

function failureText({ target, status, error }: AttemptRecord): string {
  return `${status ?? error} from ${new URL(target).host}`;
}
