/**
 * Every way in which the two hosts may differ, reviewed one by one. The comparator erases these and nothing else, test/hosts
 * shows that each is still there, and the README's table of limits holds the same lines.
 */
import type { Comparable } from "./comparator.ts";

export interface AllowedDifference {
  /** In the words of the README's table. */
  readonly what: string;
  /** The platform fact that makes it so. */
  readonly why: string;
  /** Makes both sides alike where they differ in this and only in this. */
  erase(node: Comparable, vercel: Comparable): void;
}

/** As the URL Standard's path and special-query percent-encode sets have it. */
function encodeStrays(target: string): string {
  const encode = (text: string) => encodeURIComponent(text).replace("'", "%27");
  const [path = "", ...query] = target.split("?");
  return [path.replace(/["<>^`{}]/g, encode), ...query.map((text) => text.replace(/["<>']/g, encode))].join("?");
}

/** What Next adds to `Vary` of every answer of a route handler. */
const NEXT_VARY = "rsc, next-router-state-tree, next-router-prefetch, next-router-segment-prefetch";

export const ALLOWED_DIFFERENCES: readonly AllowedDifference[] = [
  {
    what: "Answers carry no Content-Length of the backend's: bodies are framed in chunks",
    why: "Next deletes Content-Length from what a route handler answers",
    erase(node, vercel) {
      const [stated, kept] = [node.headers["content-length"], vercel.headers["content-length"]];
      if (stated && !kept) delete node.headers["content-length"];
      if (!stated && kept?.[0] === "0" && vercel.body === "") delete vercel.headers["content-length"];
    },
  },
  {
    what: "`Vary` names four fields of Next's beside the backend's own",
    why: "Next appends them to every answer of a route handler",
    erase(_, vercel) {
      const [vary] = vercel.headers["vary"] ?? [];
      if (vary === NEXT_VARY) delete vercel.headers["vary"];
      else if (vary?.includes(NEXT_VARY))
        vercel.headers["vary"] = [vary.replace(`, ${NEXT_VARY}`, "").replace(`${NEXT_VARY}, `, "")];
    },
  },
  {
    what: "Backends are asked for unencoded answers; what comes encoded all the same is decoded",
    why: "Next deletes Content-Encoding from what a route handler answers, so encoded bytes would arrive without their label",
    erase(node, vercel) {
      for (const [index, { headers }] of vercel.received.entries()) {
        if (headers["accept-encoding"]?.join() !== "identity") continue;
        delete headers["accept-encoding"];
        delete node.received[index]?.headers["accept-encoding"];
      }
    },
  },
  {
    what: "Characters that a URL may not hold as they are (`\"<>` and such) reach the backend percent-encoded, `'` in a query too",
    why: "Next hands middleware a parsed URL, which encodes them",
    erase(node, vercel) {
      for (const [index, request] of vercel.received.entries()) {
        const same = node.received[index];
        if (same && encodeStrays(same.target) === request.target) same.target = request.target;
      }
    },
  },
  {
    what: "The request fields `next-url` and `x-matched-path` do not reach backends",
    why: "Next takes them for its own and removes them",
    erase(node) {
      for (const { headers } of node.received) {
        delete headers["next-url"];
        delete headers["x-matched-path"];
      }
    },
  },
  {
    what: "A redirect that the gateway makes itself carries its address as body and, for 308, in `Refresh`",
    why: "Next adds both to redirects that middleware answers",
    erase(node, vercel) {
      const [location] = vercel.headers["location"] ?? [];
      if (location === undefined || vercel.body !== location || node.body !== "") return;
      vercel.body = "";
      delete vercel.headers["content-length"];
      delete node.headers["content-length"];
      if (vercel.headers["refresh"]?.[0] === `0;url=${location}`) delete vercel.headers["refresh"];
    },
  },
  {
    what: "Under `next start` off Vercel the caller's address is not known",
    why: "Only Vercel's edge overwrites the headers that state it; elsewhere they are the client's to forge",
    erase(node, vercel) {
      for (const [index, { headers }] of vercel.received.entries()) {
        const same = node.received[index]?.headers;
        if (!same || headers["x-forwarded-for"]) continue;
        delete same["x-forwarded-for"];
        const said = same["forwarded"]?.map((value) => value.replace("for=127.0.0.1;", "for=unknown;"));
        if (said) same["forwarded"] = said;
      }
    },
  },
];
