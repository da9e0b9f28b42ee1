/**
 * The one place where process-wide state lives. Next bundles its own copy of lib/, so on the Node host the console's pages would
 * see another module's memory: what they may see of the running gateway stands behind one symbol.
 */
import type { Overview } from "../admin/overview.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { HeaderList } from "../http/header-list.ts";

export interface ConsoleView {
  readonly host: "node" | "vercel";
  overview(): MaybePromise<Overview>;
  /** Whether the caller may see the console; the page asks again, since a front half can be dodged (CVE-2025-29927). */
  admits(request: { readonly host: string; readonly headers: HeaderList }): boolean;
}

const KEY = Symbol.for("frontdesk.console");
const shared = globalThis as { [KEY]?: ConsoleView };

export function shareWithConsole(view: ConsoleView): void {
  shared[KEY] = view;
}

export function consoleView(): ConsoleView | undefined {
  return shared[KEY];
}
