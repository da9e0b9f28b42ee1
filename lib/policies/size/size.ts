/** `size`: bounds the head of a request, for backends that break on large ones. The body's bound is `maxBody`. */
import type { Decision, PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import type { SizeOptions } from "./options.ts";

export const size: PolicyDefinition<SizeOptions> = {
  name: "size",
  phase: "screen",
  refuses: ["url-too-long", "headers-too-large", "bad-request"],
  cacheable: false,
  create: ({ headersBytes, urlBytes, queryKeys }) => ({
    decide({ request: { headers }, target }): Decision {
      if (urlBytes !== undefined && target.raw.length > urlBytes) {
        return refuse("url-too-long", { detail: `The target may have at most ${urlBytes} bytes.` });
      }
      if (headersBytes !== undefined && bytesOf(headers.pairs) > headersBytes) {
        return refuse("headers-too-large", { detail: `The header fields may have at most ${headersBytes} bytes.` });
      }
      // Thousands of keys are cheap to send and dear to parse: some parsers take quadratic time (hash flooding).
      if (queryKeys !== undefined && keysIn(target.search) > queryKeys) {
        return refuse("bad-request", { detail: `The query may have at most ${queryKeys} keys.` });
      }
      return undefined;
    },
  }),
};

/** As on the wire: `name: value` and the line's end. */
function bytesOf(pairs: readonly string[]): number {
  let bytes = 0;
  for (let i = 0; i < pairs.length; i += 2) bytes += pairs[i]!.length + pairs[i + 1]!.length + 4;
  return bytes;
}

/** Counted, not parsed: parsing is what this protects from. */
function keysIn(search: string): number {
  if (search.length < 2) return 0;
  let keys = 1;
  for (let at = search.indexOf("&"); at >= 0; at = search.indexOf("&", at + 1)) keys++;
  return keys;
}
