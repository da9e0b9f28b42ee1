/** Origins (RFC 6454 section 6.2) and patterns of them: `https://shop.example`, `https://*.shop.example`, `https://shop-*-team.vercel.app`. */
import type { HeaderList } from "./header-list.ts";

const PATTERN = /^([a-z][a-z0-9+.-]*):\/\/((?:[a-z0-9_*-]+\.)*[a-z0-9_*-]+|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };
/** Names that nobody can register: a wildcard right below them opens nothing. */
const PRIVATE_NAMES = new Set(["localhost", "local", "internal", "lan", "test"]);
/** Where anybody gets a name below; beside these, a wildcard is as wide as its domain's owner makes it. */
const SHARED_HOSTING =
  /^(?:vercel\.app|now\.sh|netlify\.app|pages\.dev|workers\.dev|github\.io|gitlab\.io|herokuapp\.com|onrender\.com|fly\.dev|railway\.app|web\.app|firebaseapp\.com|azurewebsites\.net|azurestaticapps\.net|cloudfront\.net|amazonaws\.com|s3\.amazonaws\.com|appspot\.com|run\.app|ngrok\.io|ngrok-free\.app|surge\.sh|deno\.dev)$/;

/** As browsers write it: lower case, no default port. Undefined for what is no origin, or a pattern that would let anybody in. */
export function canonicalOrigin(text: string): string | undefined {
  const [, scheme, host, port] = PATTERN.exec(text.toLowerCase()) ?? [];
  if (scheme === undefined || host === undefined || Number(port ?? 0) > 65_535 || !isSound(host)) return undefined;
  return `${scheme}://${host}${port === undefined || DEFAULT_PORTS[scheme] === port ? "" : `:${port}`}`;
}

function isSound(host: string): boolean {
  const labels = host.split(".");
  const wild = labels.findIndex((label) => label.includes("*"));
  if (wild < 0) return true;
  if (host.indexOf("*") !== host.lastIndexOf("*") || (labels[wild] === "*" && wild > 0)) return false;
  // `https://*.com` and `https://shop-*.com` are names that anybody can buy.
  const behind = labels.slice(wild + 1);
  return behind.length > 1 || PRIVATE_NAMES.has(behind[0] ?? "");
}

/** Whether anybody can get a name that fits: `https://*.vercel.app`, but not `https://shop-*-team.vercel.app`. */
export function isOpenToStrangers(pattern: string): boolean {
  const behind = /\*\.([^:]*)/.exec(pattern)?.[1];
  return behind !== undefined && SHARED_HOSTING.test(behind);
}

/** Whether a URL leads to this very machine. */
export function isLoopbackUrl(url: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

interface Wildcard {
  readonly prefix: string;
  readonly suffix: string;
  /** One label or a piece of one; several labels for a `*` that is a label of its own. */
  readonly fits: RegExp;
}

const LABEL = /^[a-z0-9_-]+$/;
const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Patterns given as `canonicalOrigin` gives them. */
export class OriginList {
  readonly #exact: ReadonlySet<string>;
  readonly #wildcards: readonly Wildcard[];

  constructor(patterns: readonly string[]) {
    this.#exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
    this.#wildcards = patterns.flatMap((pattern) => {
      const [prefix, suffix] = pattern.split("*");
      if (prefix === undefined || suffix === undefined) return [];
      return [{ prefix, suffix, fits: prefix.endsWith("//") && suffix.startsWith(".") ? LABELS : LABEL }];
    });
  }

  /** `origin` as it was sent. Browsers send it in one spelling, so that another is none of theirs. */
  has(origin: string): boolean {
    if (this.#exact.has(origin)) return true;
    return this.#wildcards.some(
      ({ prefix, suffix, fits }) =>
        origin.length > prefix.length + suffix.length &&
        origin.startsWith(prefix) &&
        origin.endsWith(suffix) &&
        fits.test(origin.slice(prefix.length, origin.length - suffix.length)),
    );
  }
}

/**
 * Whose page made a browser send this, as Go's CrossOriginProtection finds out: the browser's own word first, then whether Origin is
 * where the request went. `unknown`: neither is there, so that it was no browser of today.
 */
export function siteOf({ headers, host }: { readonly headers: HeaderList; readonly host: string }): "own" | "other" | "unknown" {
  const site = headers.get("sec-fetch-site");
  // Scripts can't write Sec-*; `none` is the person: an address typed, a bookmark.
  if (site !== undefined) return site === "same-origin" || site === "none" ? "own" : "other";
  const from = headers.get("origin");
  if (from === undefined) return "unknown";
  // Browsers before 2020 (2023 for Safari). The scheme is not compared: a proxy in front may have ended TLS.
  return hostIn(from) === host.toLowerCase() ? "own" : "other";
}

/** Undefined for `null`, which sandboxed frames and some redirects send. */
function hostIn(from: string): string | undefined {
  const start = from.indexOf("://");
  return start < 0 ? undefined : from.slice(start + 3).toLowerCase();
}
