/** A stored answer that the backend says is still right, by a 304: whether it means this one, and its fields afterwards. */
import { HeaderList } from "../http/header-list.ts";
import type { Entry } from "./entry.ts";
import { without } from "./respond.ts";

/** RFC 9111 section 4.3.4: a 304 with a strong validator may renew only an answer that has the same. */
export function isOfThat({ validators }: Entry, pairs: readonly string[]): boolean {
  const etag = new HeaderList(pairs as string[]).get("etag");
  return etag === undefined || etag.startsWith("W/") || etag === validators.etag;
}

/** Fields that describe the stored body, which a 304 does not bring anew (RFC 9111 section 3.2). */
const OF_THE_BODY = new Set(["content-length", "content-encoding", "content-range", "content-md5", "etag"]);

/** `names` are those of the backend itself: what policies append to an answer is there already. */
export function updatedPairs(stored: readonly string[], fresh: readonly string[], names: readonly string[]): string[] {
  const renewed = new Set(names.map((name) => name.toLowerCase()).filter((name) => name !== "age" && !OF_THE_BODY.has(name)));
  const pairs = without(stored, [...renewed]);
  for (let i = 0; i < fresh.length; i += 2) if (renewed.has(fresh[i]!.toLowerCase())) pairs.push(fresh[i]!, fresh[i + 1]!);
  return pairs;
}
