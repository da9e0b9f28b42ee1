/**
 * Schemes that sign in a connection and not a request: NTLM, Negotiate and their kin (RFC 4559 section 6). Every later request on that
 * connection is taken for the same person's. A connection to a backend carries the requests of many callers, so none is signed in.
 */
import { isNamed } from "./header-list.ts";

const SCHEME = /^[ \t]*(?:ntlm|negotiate|nego2|kerberos)(?![^ \t,])/i;

/** Whether a request with these fields (name, value, name, value) would sign in the connection that it is sent on. */
export function signsInConnection(pairs: readonly string[]): boolean {
  for (let i = 0; i < pairs.length; i += 2) {
    if (isNamed(pairs[i]!, "authorization") && SCHEME.test(pairs[i + 1]!)) return true;
  }
  return false;
}

/** Takes the challenges of these schemes out of a 401's fields. False where only such were there: then no caller can answer it. */
export function keepRequestChallenges(pairs: string[]): boolean {
  let dropped = 0;
  let kept = 0;
  for (let i = pairs.length - 2; i >= 0; i -= 2) {
    if (!isNamed(pairs[i]!, "www-authenticate")) continue;
    const all = listItems(pairs[i + 1]!);
    const others = all.filter((item) => !SCHEME.test(item));
    dropped += all.length - others.length;
    kept += others.length;
    if (others.length === 0) pairs.splice(i, 2);
    else if (others.length < all.length) pairs[i + 1] = others.join(",").trim();
  }
  return dropped === 0 || kept > 0;
}

/** The items of a list (RFC 9110 section 5.6.1): a comma in a quoted string divides nothing. */
function listItems(list: string): string[] {
  const items: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < list.length; i++) {
    if (isQuoted && list[i] === "\\") i++;
    else if (list[i] === '"') isQuoted = !isQuoted;
    else if (list[i] === "," && !isQuoted) {
      items.push(list.slice(start, i));
      start = i + 1;
    }
  }
  items.push(list.slice(start));
  return items;
}
