/** Names of methods: those that a request can come with. */
import { METHODS } from "node:http";
import { TOKEN } from "./header-fields.ts";
import type { ConfigPath, Report } from "./issue.ts";
import { didYouMean } from "./nearest.ts";

/** Node's parser refuses every other one. CONNECT asks for a tunnel, which is not a request to forward. */
const SERVED: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== "CONNECT"));

/** Methods are case-sensitive (RFC 9110 section 9.1). False: it has been reported. */
export function isMethod(name: string, place: ConfigPath, report: Report): boolean {
  if (SERVED.has(name)) return true;
  const upper = name.toUpperCase();
  const fix = SERVED.has(upper) ? `Write "${upper}".` : TOKEN.test(name) ? didYouMean(name, SERVED) : undefined;
  report.error("method-name", place, `${JSON.stringify(name)} is not a method that can be served.`, fix);
  return false;
}
