/** Cache-Control for one kind of cache: CDN-Cache-Control (RFC 9213), and Surrogate-Control, which came before it. */

const KEY = "[a-z*][a-z0-9_.*-]*";
const BARE_ITEM =
  '(?:-?\\d{1,15}(?:\\.\\d{1,3})?|"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*"|[A-Za-z*][\\w!#$%&\'*+.^`|~:/-]*|\\?[01])';
/** One member, without its parameters, and those, from where the last member ended. */
const MEMBER = new RegExp(`(${KEY}(?:=${BARE_ITEM})?)(?:; *${KEY}(?:=${BARE_ITEM})?)*`, "y");
const COMMA = /[ \t]*,[ \t]*/y;

/**
 * The directives that hold for us, in the words of Cache-Control, of fields as name (lower case) and value; undefined where
 * none is said. One that is no structured dictionary is passed over whole (RFC 9213 section 2.1).
 */
export function targetedCacheControl(fields: readonly string[] | undefined): string | undefined {
  if (fields === undefined) return undefined;
  const joined = (wanted: string) => fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === wanted).join(", ");
  const cdn = joined("cdn-cache-control");
  const directives = cdn === "" ? undefined : membersOf(cdn);
  if (directives) return directives.join(", ");
  return joined("surrogate-control") || undefined;
}

/**
 * The members of a dictionary (RFC 8941 section 3.2), one after another: one expression for all of it is more than a checker can tell to be
 * linear. Their parameters mean nothing here (RFC 9213 section 2.1). Undefined where the field is none.
 */
function membersOf(field: string): string[] | undefined {
  const text = withoutSpaces(field);
  const members: string[] = [];
  for (let end = 0; ; ) {
    MEMBER.lastIndex = end;
    const [whole, member] = MEMBER.exec(text) ?? [];
    if (whole === undefined || member === undefined) return undefined;
    members.push(member);
    end += whole.length;
    if (end === text.length) return members;
    COMMA.lastIndex = end;
    if (!COMMA.test(text)) return undefined;
    end = COMMA.lastIndex;
  }
}

/** Spaces alone may stand around a dictionary (section 4.2). */
function withoutSpaces(text: string): string {
  let [start, end] = [0, text.length];
  while (text[start] === " ") start++;
  while (end > start && text[end - 1] === " ") end--;
  return text.slice(start, end);
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
