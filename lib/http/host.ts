/** Host and port as a request names them: one check for Host, the authority of a target, and what proxies tell. */

/** uri-host [ ":" port ] (RFC 3986 section 3.2.2), without characters that only attacks have. */
const FORM = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** The latest that was found good: most requests name the same. */
let known = "";

/** Also held to the URL parser, by which later steps read it: it refuses `1.2.3.4.5`, `[::::]` and the port 99999. */
export function isHost(text: string): boolean {
  if (text === known) return text !== "";
  // `a.example..` is to one reader a.example and to another nobody (RFC 1035 section 3.1: only the root has an empty label).
  if (text.length > MAX_LENGTH || text.includes("..") || !FORM.test(text) || !URL.canParse(`http://${text}`)) return false;
  known = text;
  return true;
}

/** A domain name has 253 characters (RFC 1035 section 2.3.4); with the dot at its end and a port. */
const MAX_LENGTH = 260;
