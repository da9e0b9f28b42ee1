/**
 * The ways in which common servers read one path: Express and IIS ignore case, Express and Rails a trailing slash, Tomcat and Jetty
 * cut `;params`, Windows drops trailing dots and spaces, and servers that decode first split at `%2F`.
 */

const ASCII = /^[\0-\x7f]*$/;

/** One spelling for texts that differ by case alone, by Unicode too: in capitals `ſ` is an S, and in small letters the Kelvin sign is a k. */
export function foldCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  // A lower-case İ is an i with a dot above.
  return text.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().replaceAll("\u0307", "");
}

/** How a whole config reads paths; absent settings compare byte for byte. */
export interface PathComparison {
  readonly caseSensitive?: boolean | undefined;
  readonly trailingSlash?: "strict" | "ignore" | undefined;
}

/** The segments as they are compared: of a request and of a route alike. Undefined where each is taken as it stands. */
export function segmentReader({
  caseSensitive = true,
  trailingSlash = "strict",
}: PathComparison): ((segments: readonly string[]) => readonly string[]) | undefined {
  if (caseSensitive && trailingSlash === "strict") return undefined;
  return (segments) => {
    const hasSlash = trailingSlash === "ignore" && segments.length > 1 && segments.at(-1) === "";
    const kept = hasSlash ? segments.slice(0, -1) : segments;
    return caseSensitive ? kept : kept.map(foldCase);
  };
}

/** Each may be how a server reads, or not: all of their combinations are tried. */
const READERS: readonly ((path: string) => string)[] = [decodedAgain, withoutParameters, resolved, withoutTrailingSlash];

/** All readings of a path, as segments in folded case. One that begins with `..` climbs above the root. */
export function pathReadings(segments: readonly string[]): readonly (readonly string[])[] {
  const readings = new Set([segments.map((segment) => foldCase(segment).replaceAll("/", "%2f")).join("/")]);
  for (const read of READERS) for (const known of [...readings]) readings.add(read(known));
  return [...readings].map((reading) => reading.split("/"));
}

/** One spelling for all that a laxer server may take for one: for counts, which a caller must not multiply by spelling (`/a`, `/A`, `/a;1`). */
export function laxestReading(text: string): string {
  return READERS.reduce((read, reader) => reader(read), foldCase(text));
}

/** `%2F`, `%5C` and `%3B` as the characters that they are, also where they were encoded twice; `%u` is IIS's own. */
function decodedAgain(path: string): string {
  if (!path.includes("%") && !path.includes("\\")) return path;
  const decoded = path
    .replace(/%u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString());
  return foldCase(decoded).replaceAll("\\", "/");
}

/** Cut: `;params` (RFC 3986 section 3.3), what a later parser takes for query or fragment, and what follows a NUL in C. */
function withoutParameters(path: string): string {
  return path.replace(/[;?#\0][^/]*/g, "");
}

/** Without empty and dot segments (RFC 3986 section 5.2.4), nor spaces around and dots behind a segment. */
function resolved(path: string): string {
  const segments = path.split("/");
  const kept: string[] = [];
  let climbs = false;
  for (const segment of segments) {
    const text = withoutDots(segment);
    if (text === ".." && kept.pop() === undefined) climbs = true;
    if (text !== ".." && text !== "." && text !== "") kept.push(text);
  }
  const last = withoutDots(segments.at(-1)!);
  if (kept.length === 0 || last === "" || last === "." || last === "..") kept.push("");
  return `${climbs ? "../" : ""}${kept.join("/")}`;
}

function withoutDots(segment: string): string {
  const text = segment.trim();
  let end = text.length;
  while (end > 0 && (text[end - 1] === "." || text[end - 1] === " ")) end--;
  return end === 0 ? text.replaceAll(" ", "") : text.slice(0, end);
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
