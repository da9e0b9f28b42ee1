/**
 * A backend's word about its own addresses, said again for the caller's side. `Host` is the backend's by default, so its redirects
 * name its origin: the caller gets a path of the gateway. Where `stripPrefix`, `rewrite` or the target's base path made the two
 * paths differ, one prefix is exchanged for the other, as by nginx's proxy_redirect and proxy_cookie_path.
 *
 * A path can be mapped where it has a prefix on both sides. A rewrite is one where its template is literal up to a `*` parameter at
 * the end, behind a slash, and the route's path is literal up to that same `*` (`/shop/*` to `/v1/${params.rest}`). Any other rewrite
 * (`/a/:id` to `/b/${params.id}`, a fixed path) has no way back that is right for every path: there the path stays as it is.
 */
import type { CompiledRoute, CompiledTarget } from "../contract/compiled/config.ts";
import type { ReverseRewrite } from "../engine/pipeline.ts";
import { isNamed } from "../http/header-list.ts";

interface Prefixes {
  /** Where the route's paths begin at the backend and at the gateway: without a trailing slash, empty for the root. */
  readonly backend: string;
  readonly gateway: string;
  /** The backend is told of the gateway's prefix (X-Forwarded-Prefix), and may put it before its own paths itself. */
  readonly isAnnounced: boolean;
}

/** Paths go on as they came, or have no way back. */
const SAME: Prefixes = { backend: "", gateway: "", isAnnounced: false };

/** For a route and one target. */
export function createReverseRewrite(
  { path, rewrite }: Pick<CompiledRoute, "path" | "rewrite">,
  target: Pick<CompiledTarget, "url">,
): ReverseRewrite {
  const { protocol, origin, hostname, pathname } = new URL(target.url);
  const found = prefixesOf(path, rewrite, pathname.replace(/\/$/, "")) ?? SAME;
  const prefixes = found.backend === found.gateway ? SAME : found;
  return (pairs, host) => {
    for (let i = 0; i < pairs.length; i += 2) {
      const name = pairs[i]!;
      if (isNamed(name, "location") || isNamed(name, "content-location"))
        pairs[i + 1] = mapReference(pairs[i + 1]!, prefixes, protocol, origin, host);
      else if (isNamed(name, "set-cookie")) pairs[i + 1] = mapCookie(pairs[i + 1]!, prefixes, hostname);
      else if (isNamed(name, "refresh"))
        pairs[i + 1] = mapRefresh(pairs[i + 1]!, (url) => mapReference(url, prefixes, protocol, origin, host));
    }
  };
}

function prefixesOf(path: string, rewrite: CompiledRoute["rewrite"], basePath: string): Prefixes | undefined {
  if (rewrite === undefined) return { backend: basePath, gateway: "", isAnnounced: false };
  if (rewrite.kind === "strip") return { backend: basePath, gateway: rewrite.encoded, isAnnounced: true };
  const rest = rewrite.template.at(-1);
  const before = rewrite.template.slice(0, -1);
  const literal = before.join("");
  if (typeof rest !== "object" || rest.from !== "params" || !rest.many || !literal.endsWith("/")) return undefined;
  const [, gateway] = /^((?:\/[^/:*][^/]*)*)\/[^/]*\*$/.exec(path) ?? [];
  if (gateway === undefined || before.some((part) => typeof part !== "string")) return undefined;
  return { backend: basePath + literal.slice(0, -1), gateway: encodeURI(gateway), isAnnounced: false };
}

const WITH_AUTHORITY = /^([a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)/i;

/** Location (RFC 9110 section 10.2.2) and Content-Location (section 8.7): a URI reference in any of its forms. */
function mapReference(reference: string, prefixes: Prefixes, protocol: string, origin: string, host: string | undefined): string {
  const [whole = "", scheme = protocol, authority] = WITH_AUTHORITY.exec(reference) ?? [];
  if (authority !== undefined) {
    const rest = reference.slice(whole.length);
    const mapped = mapPath(rest.startsWith("/") ? rest : `/${rest}`, prefixes);
    if (mapped === undefined) return reference;
    // Its scheme may be what the redirect is about: from http to https of the same host.
    if (authority.toLowerCase() === host?.toLowerCase()) return whole + mapped;
    // Without a scheme it is that of the request that the backend got (RFC 3986 section 4.2).
    return originOf(scheme, authority) === origin ? mapped : reference;
  }
  // A relative reference is resolved by the caller against the path that it asked for, which is right on its side.
  return reference.startsWith("/") && prefixes !== SAME ? (mapPath(reference, prefixes) ?? reference) : reference;
}

/** Refresh, which browsers take as `<meta http-equiv="refresh">`: `5; url=/next`, the address perhaps in quotes (HTML, 4.2.5.3). */
function mapRefresh(value: string, map: (url: string) => string): string {
  const start = value.toLowerCase().indexOf("url=");
  if (start < 0) return value;
  const address = value.slice(start + 4).trim();
  const quote = address.startsWith('"') || address.startsWith("'") ? address[0]! : "";
  const end = quote === "" ? -1 : address.indexOf(quote, 1);
  const url = address.slice(quote.length, end < 0 ? undefined : end);
  return `${value.slice(0, start + 4)}${quote}${map(url)}${quote}`;
}

function originOf(scheme: string, authority: string): string | undefined {
  const url = `${scheme}//${authority}`;
  // `user@host` may look like the target and lead elsewhere.
  return !authority.includes("@") && URL.canParse(url) ? new URL(url).origin : undefined;
}

/** A path with whatever follows it; undefined where it lies outside of what the gateway shows of this target. */
function mapPath(received: string, { backend, gateway, isAnnounced }: Prefixes): string | undefined {
  const prefix = isAnnounced && isBelow(received, gateway + backend) ? gateway + backend : backend;
  if (!isBelow(received, prefix)) return undefined;
  const mapped = gateway + received.slice(prefix.length);
  if (!mapped.startsWith("/")) return `/${mapped}`;
  // `//x` is no path but an authority (RFC 3986 section 4.2), and so is `/\x` to browsers: an open redirect.
  return /^\/[/\\]/.test(mapped) ? `/.${mapped}` : mapped;
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && /^(?:[/?#]|$)/.test(path.slice(prefix.length));
}

/** Set-Cookie (RFC 6265 section 5.2): attributes stand between semicolons, whatever they hold; names in any case. */
function mapCookie(cookie: string, prefixes: Prefixes, hostname: string): string {
  const [pair = "", ...attributes] = cookie.split(";");
  // `__Host-` cookies are taken only with `Path=/` (RFC 6265bis section 4.1.3.2).
  const isBoundToRoot = /^\s*__Host-/i.test(pair);
  const mapped = attributes.flatMap((attribute) => {
    const equals = attribute.indexOf("=");
    const [name, value] = equals < 0 ? ["", ""] : [attribute.slice(0, equals).trim(), attribute.slice(equals + 1).trim()];
    switch (name.toLowerCase()) {
      case "path":
        return isBoundToRoot ? [attribute] : [` ${name}=${mapCookiePath(value, prefixes) ?? value}`];
      case "domain":
        // The target's own name means nothing to the caller, who would refuse the cookie: without it, it is the gateway's own
        // (section 5.3). A leading dot is ignored (section 5.2.3).
        return value.toLowerCase().replace(/^\./, "") === hostname ? [] : [attribute];
      default:
        return [attribute];
    }
  });
  return [pair, ...mapped].join(";");
}

/** Section 5.1.4: a cookie for `/` is for everything at the backend, so for everything that the gateway shows of it. */
function mapCookiePath(path: string, prefixes: Prefixes): string | undefined {
  if (path === "/") return prefixes.gateway || "/";
  return path.startsWith("/") ? mapPath(path, prefixes) : undefined;
}
