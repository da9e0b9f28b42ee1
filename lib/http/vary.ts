/** Vary (RFC 9110 section 12.5.5): which fields of a request an answer hangs on. */
import { listOf } from "./cache-directives.ts";
import type { HeaderList } from "./header-list.ts";

/** Adds a field to what an answer varies by, unless it is named already or everything is. */
export function addVary(headers: HeaderList, name: string): void {
  const named = listOf(headers.all("vary").join(","));
  if (!named.includes(name.toLowerCase()) && !named.includes("*")) headers.append("vary", name);
}
