/** W3C Trace Context: whether a caller's trace goes on, and with which state. https://www.w3.org/TR/trace-context/ */

export interface ContinuedTrace {
  readonly traceId: string;
  /** Two hex digits: sampled (01) and random (02); other bits are set to 0 (level 2, section 3.2.2.5). */
  readonly flags: string;
  /** Undefined where there is none, or one that is not well formed. */
  readonly tracestate: string | undefined;
}

/** A later version may add fields behind another dash (section 3.2.4). */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
const KNOWN_FLAGS = 0x03;

/** Undefined where the gateway begins a trace of its own: then the caller's tracestate is dropped, too (section 3.3). */
export function continueTrace(traceparent: string | undefined, tracestate: string | undefined): ContinuedTrace | undefined {
  if (traceparent === undefined) return undefined;
  const [, version, traceId = "", parentId = "", flags = "", rest] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(parentId)) return undefined;
  const known = Number.parseInt(flags, 16) & KNOWN_FLAGS;
  return { traceId, flags: `0${known}`, tracestate: tracestate === undefined ? undefined : validTracestate(tracestate) };
}

/** Section 3.3.1: at most 32 members; one that can't be read makes the whole field worthless (section 3.3.1.1). */
const MAX_MEMBERS = 32;
const KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

function validTracestate(tracestate: string): string | undefined {
  // Empty members are allowed, and left out.
  const members = tracestate
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > MAX_MEMBERS) return undefined;
  const isValid = members.every((member) => {
    const equals = member.indexOf("=");
    return equals > 0 && KEY.test(member.slice(0, equals)) && VALUE.test(member.slice(equals + 1));
  });
  return isValid ? members.join(",") : undefined;
}
