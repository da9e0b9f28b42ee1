/**
 * The one place of process-wide state. Next bundles its own copy of lib/, so that on the Node host the console's pages have another memory
 * than the gateway. They see the running gateway through one symbol.
 */
import type { Overview } from "../admin/overview.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { ConfigSummary } from "./config-summary.ts";
import type { Query, Reading, Readings } from "./readings.ts";

export interface ConsoleView {
  readonly host: "node" | "vercel";
  overview(): MaybePromise<Overview>;
  config(): ConfigSummary;
  read<Name extends keyof Readings>(name: Name, query: Query): Promise<Reading<Readings[Name]>>;
  /** Whether the caller may see the console; each page asks again, since a front half can be dodged (CVE-2025-29927). */
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
