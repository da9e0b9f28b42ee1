/** A stored answer that the backend says is still right, by a 304: whether it means this one, and its fields afterwards. */
import { opaque } from "../http/conditions.ts";
import { HeaderList } from "../http/header-list.ts";
import type { Entry } from "./entry.ts";
import { without } from "./respond.ts";

/**
 * RFC 9111 section 4.3.4: a strong tag has to be that of the stored answer, a weak one or the date has to correspond. Many backends bring none
 * of them, as they should (RFC 9110 section 15.4.5): they mean what they were asked about.
 */
export function isOfThat({ validators }: Entry, pairs: readonly string[]): boolean {
  const headers = new HeaderList(pairs as string[]);
  const etag = headers.get("etag");
  const modified = headers.get("last-modified");
  const { lastModified } = validators;
  if (etag === undefined) return modified === undefined || lastModified === undefined || modified === lastModified;
  if (!etag.startsWith("W/")) return etag === validators.etag;
  return validators.etag === undefined ? modified === lastModified : opaque(etag) === opaque(validators.etag);
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
