/** Cache-Control for one kind of cache: CDN-Cache-Control (RFC 9213), and Surrogate-Control, which came before it. */

const KEY = "[a-z*][a-z0-9_.*-]*";
const BARE_ITEM =
  '(?:-?\\d{1,15}(?:\\.\\d{1,3})?|"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*"|[A-Za-z*][\\w!#$%&\'*+.^`|~:/-]*|\\?[01])';
const MEMBER = `${KEY}(?:=${BARE_ITEM})?(?:; *${KEY}(?:=${BARE_ITEM})?)*`;
const DICTIONARY = new RegExp(`^ *${MEMBER}(?:[ \\t]*,[ \\t]*${MEMBER})* *$`);

/**
 * The directives that hold for us, in the words of Cache-Control, of fields as name (lower case) and value; undefined where
 * none is said. One that is no structured dictionary is passed over whole (RFC 9213 section 2.1).
 */
export function targetedCacheControl(fields: readonly string[] | undefined): string | undefined {
  if (fields === undefined) return undefined;
  const joined = (wanted: string) => fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === wanted).join(", ");
  const cdn = joined("cdn-cache-control");
  // Parameters mean nothing here (section 2.1).
  if (cdn !== "" && DICTIONARY.test(cdn)) return cdn.replace(new RegExp(`; *${KEY}(?:=${BARE_ITEM})?`, "g"), "");
  return joined("surrogate-control") || undefined;
}

/** Tags by which an answer can be purged: Surrogate-Key has spaces between them, the others commas. */
export function cacheTags(fields: readonly string[] | undefined): readonly string[] {
  return (fields ?? []).flatMap((value, index) => {
    if (index % 2 === 0) return [];
    const name = fields![index - 1];
    if (name === "surrogate-key") return value.split(/\s+/).filter(Boolean);
    if (name !== "cache-tag" && name !== "vercel-cache-tag") return [];
    return value
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean);
  });
}
