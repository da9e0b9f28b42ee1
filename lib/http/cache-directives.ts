/** Directives of Cache-Control and of the fields that are written like it (RFC 9111 section 5.2; RFC 9213 for one cache alone). */

/** By name in lower case; `true` where there is no argument. Of one that is said twice the first counts (RFC 9111 section 4.2.1). */
export type Directives = ReadonlyMap<string, string | true>;

export function parseDirectives(field: string | undefined): Directives {
  const directives = new Map<string, string | true>();
  for (const item of field === undefined ? [] : splitList(field)) {
    const [, name, rest = ""] = /^([^\s=";]+)(.*)$/s.exec(item) ?? [];
    if (name === undefined || directives.has(name.toLowerCase())) continue;
    directives.set(name.toLowerCase(), rest === "" ? true : argumentOf(rest));
  }
  return directives;
}

/** At the commas that stand outside of quoted strings: `extension="a, max-age=3600"` is no max-age. */
function splitList(field: string): string[] {
  if (!field.includes('"')) return field.split(",").map((item) => item.trim());
  const items: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let i = 0; i < field.length; i++) {
    const character = field[i];
    if (isQuoted && character === "\\") i++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === "," && !isQuoted) {
      items.push(field.slice(from, i).trim());
      from = i + 1;
    }
  }
  items.push(field.slice(from).trim());
  // What a string without an end swallows may be a no-store.
  if (isQuoted) items.push("no-store");
  return items;
}

/** A token or a quoted string right behind `=`; anything else, such as spaces around it, is no argument and reads as empty. */
function argumentOf(rest: string): string {
  const [, token, quoted] = /^=(?:([^\s",;]+)|"((?:[^"\\]|\\.)*)")$/s.exec(rest) ?? [];
  return token ?? quoted?.replace(/\\(.)/gs, "$1") ?? "";
}

/** RFC 9111 section 1.2.2: what is larger counts as 2^31. */
const MAX_SECONDS = 2 ** 31;

/**
 * A directive's seconds; undefined where it is absent. Anything but digits is 0: what is said wrongly about freshness is best
 * taken for stale (RFC 9111 section 4.2.1).
 */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  return typeof argument === "string" && /^\d+$/.test(argument) ? Math.min(Number(argument), MAX_SECONDS) : 0;
}

/** The fields that a directive such as `no-cache="a, b"` is about, in lower case; none where it is about the whole answer. */
export function fieldsOf(directives: Directives, name: string): readonly string[] {
  const argument = directives.get(name);
  return typeof argument === "string" ? listOf(argument) : [];
}

/** A comma-separated list in lower case, without empty members (RFC 9110 section 5.6.1.2). */
export function listOf(field: string): string[] {
  return field
    .toLowerCase()
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
