/** What Node and Next do by themselves, where the gateway has no say. Everything else that looks like a fault is one. */
import type { HostName } from "../support/host-process.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import type { ReadAnswer } from "./read-answers.ts";
import type { SentRequest } from "./sent-requests.ts";

/** Lines of Next's own about connections that broke and methods that it does not know. */
const NEXT_LINES: readonly RegExp[] = [
  // A client that goes away while Next reads its body.
  /^⨯ (?:uncaughtException|unhandledRejection): +Error: aborted/,
  /^⨯ Error: aborted/,
  // Next tells of each answer that a backend breaks off. The caller's connection is broken too, as it must be.
  /^⨯ Error: failed to pipe response/,
  // `new Request` of the Fetch standard takes no CONNECT, TRACE and TRACK: Next answers 500 before any of our code runs.
  /^⨯ TypeError: '\w+' HTTP method is unsupported/,
];

/** Lines that are no record of the gateway: Node's words, and Next's, which marks its errors. */
const CRASHED: Record<HostName, RegExp> = { node: /error|warning:|unhandled|^\s+at /i, vercel: /^⨯/ };

/** The one error that the fuzzer provokes: a reload of a bad config. */
const REFUSED_CONFIG = "the new config is not used";

export function tellsOfBug(line: string, host: HostName): boolean {
  if (line.startsWith('{"time"')) return line.includes('"level":"error"') && !line.includes(REFUSED_CONFIG);
  return CRASHED[host].test(line) && !(host === "vercel" && NEXT_LINES.some((known) => known.test(line)));
}

/**
 * `next start` takes every offer of another protocol for itself, answers none, and never lets go of the connection. On Vercel the
 * platform answers; test/hosts/seam.test.ts asks the two halves without Next.
 */
export function isUnplayable({ kind, steps }: FuzzCase, host: HostName): boolean {
  if (host !== "vercel") return false;
  // Next carries out all that a client pipelines at once: hundreds of requests outlast every time-out.
  if (kind === "pipelined") return true;
  return /upgrade/i.test(steps.map((step) => ("write" in step ? step.write : "")).join(""));
}

/** Answers of 500 and more that are no backend's and bear no code of the gateway's. */
export function isPlatforms(
  { status }: Pick<ReadAnswer, "status">,
  { method, target, host }: SentRequest,
  on: HostName,
): boolean {
  // The console's page before `npm run build` (console-pages.ts).
  if (on === "node") return status === 503 && /^\/gateway(?:\/?(?:$|\?)|\/_next\/)/.test(target);
  if (status !== 500) return false;
  // Before any of our code runs, Next makes a Request (`new Request` takes no TRACE) with a URL of Host and target, and unescapes the path.
  // The target `*` (RFC 9112 section 3.2.4) is no path to it.
  return method === "TRACE" || method === "TRACK" || target === "*" || !URL.canParse(`http://${host}/`) || !isUnescapable(target);
}

function isUnescapable(target: string): boolean {
  try {
    decodeURIComponent(target.split("?")[0]!);
    return true;
  } catch {
    return false;
  }
}
