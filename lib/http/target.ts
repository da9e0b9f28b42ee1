/**
 * The request target, parsed once and kept as received. What can be read in two ways is noted as a fault, and the route's
 * guard decides what to do about it: paths that mean one thing to the gateway and another to a backend are how routes are dodged.
 */
export interface Target {
  /** Path and query exactly as received; an absolute-form target without its authority (RFC 9112 section 3.2.2). */
  readonly raw: string;
  readonly path: string;
  /** With its `?`; empty where there is none. */
  readonly search: string;
  /** Decoded once; a segment that can't be decoded stands as received. `/a/` has the segments `a` and an empty one. */
  readonly segments: readonly string[];
  /** What a strict guard refuses, in words for the record; undefined for a plain path. */
  readonly fault: string | undefined;
  /** `%2F` in a segment: one segment here, perhaps two at the backend. */
  readonly hasEncodedSlash: boolean;
  readonly query: URLSearchParams;
}

/** Most targets: no escapes, no empty or dot-led segment, none of the characters that servers disagree on. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*)+\/?$|^\/$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i;

/** Parses a target, or returns undefined for one that is neither origin-form nor absolute-form with http(s). */
export function parseTarget(received: string): Target | undefined {
  let raw = received;
  if (raw.charCodeAt(0) !== 0x2f) {
    const authority = ABSOLUTE_FORM.exec(received);
    if (!authority) return undefined;
    raw = received.slice(authority[0].length);
    if (raw.charCodeAt(0) !== 0x2f) raw = `/${raw}`;
  }
  const question = raw.indexOf("?");
  const path = question < 0 ? raw : raw.slice(0, question);
  const search = question < 0 ? "" : raw.slice(question);
  // Origin-form has no fragment (RFC 9112 section 3.2.1): what one server drops, another may serve.
  const isPlain = PLAIN_PATH.test(path) && !search.includes("#");
  return isPlain
    ? new ParsedTarget(raw, path, search, path.slice(1).split("/"), undefined, false)
    : parseUnusual(raw, path, search);
}

/**
 * Whether a path, put together from values, would climb: a segment of dots, in any spelling (RFC 3986 section 5.2.4). A server that
 * decodes before it resolves takes `%2F`, `%5C` and `%3B` for the end of one too.
 */
export function hasDotSegment(path: string): boolean {
  return /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\;?#]|%2f|%5c|%3b|$)/i.test(path);
}

/** The authority of an absolute-form target, which then stands for Host (RFC 9112 section 3.2.2). */
export function authorityOf(received: string): string | undefined {
  return received.charCodeAt(0) === 0x2f ? undefined : ABSOLUTE_FORM.exec(received)?.[1];
}

function parseUnusual(raw: string, path: string, search: string): Target {
  let fault = search.includes("#") ? "a fragment in the target" : undefined;
  let hasEncodedSlash = false;
  const received = path.slice(1).split("/");
  const segments = received.map((segment, index) => {
    const decoded = decode(segment);
    if (decoded === undefined) fault ??= "a broken escape in the path";
    const text = decoded ?? segment;
    // Servers that know path parameters drop `;…` before they resolve dots: `/..;/admin`.
    if (/^\.{1,2}(?:;.*)?$/s.test(text)) fault ??= "a dot segment in the path";
    if (text === "" && index < received.length - 1) fault ??= "an empty segment in the path";
    if (text.includes("\\")) fault ??= "a backslash in the path";
    if (/[\0-\x1f\x7f]/.test(text)) fault ??= "a control character in the path";
    if (segment.includes("#")) fault ??= "a fragment in the target";
    if (/[^\x21-\x7e]/.test(segment)) fault ??= "a raw byte outside of ASCII in the path";
    if (decoded !== undefined && text.includes("/")) {
      hasEncodedSlash = true;
      if (text.split("/").some((part) => part === "." || part === "..")) fault ??= "an encoded dot segment in the path";
    }
    return text;
  });
  return new ParsedTarget(raw, path, search, segments, fault, hasEncodedSlash);
}

function decode(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

class ParsedTarget implements Target {
  readonly raw: string;
  readonly path: string;
  readonly search: string;
  readonly segments: readonly string[];
  readonly fault: string | undefined;
  readonly hasEncodedSlash: boolean;
  #query: URLSearchParams | undefined;

  constructor(
    raw: string,
    path: string,
    search: string,
    segments: readonly string[],
    fault: string | undefined,
    hasEncodedSlash: boolean,
  ) {
    this.raw = raw;
    this.path = path;
    this.search = search;
    this.segments = segments;
    this.fault = fault;
    this.hasEncodedSlash = hasEncodedSlash;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.search);
    return this.#query;
  }
}

/** Stands for a target that is no path: `*`, an authority, garbage. It matches nothing. */
export const UNREADABLE_TARGET: Target = new ParsedTarget("/", "/", "", [""], "a target that is not a path", false);
