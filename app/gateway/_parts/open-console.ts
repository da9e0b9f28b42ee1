/** The opening of each page: who asks, what runs, and what the URL says. */
import { headers } from "next/headers.js";
import { notFound } from "next/navigation.js";
import type { ConsolePage } from "../../../lib/admin/console-paths.ts";
import type { Overview } from "../../../lib/admin/overview.ts";
import { type ConsoleView, consoleView } from "../../../lib/console/shared-view.ts";
import { consoleReady } from "../../../lib/hosts/vercel/halves.ts";
import { HeaderList } from "../../../lib/http/header-list.ts";
import { PERIODS, type Period } from "../../../lib/observe/traffic.ts";

/** Each parameter of the URL once; a page takes none twice. */
export type Search = Readonly<Record<string, string | undefined>>;

export interface PageProps {
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>;
}

export interface OpenPage {
  readonly page: ConsolePage | undefined;
  readonly view: ConsoleView;
  readonly overview: Overview;
  readonly period: Period;
  readonly isLive: boolean;
  readonly search: Search;
  /** Of this gateway as the browser reaches it. */
  readonly origin: string;
  /** A session is open, which the operator can end. */
  readonly hasSession: boolean;
}

export async function openConsole(page: ConsolePage | undefined, { searchParams }: PageProps): Promise<OpenPage> {
  await consoleReady();
  const [fields, given] = await Promise.all([headers(), searchParams]);
  const view = consoleView();
  const host = fields.get("host") ?? "";
  // The gate asked already. A page asks again: it must not depend on a front half alone.
  if (!view?.admits({ host, headers: new HeaderList([...fields.entries()].flat()) })) notFound();
  const search = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, [value].flat()[0]]));
  const { period, live } = search;
  const scheme = fields.get("x-forwarded-proto") === "https" ? "https" : "http";
  return {
    page,
    view,
    overview: await view.overview(),
    period: period && Object.hasOwn(PERIODS, period) ? (period as Period) : "1h",
    isLive: live !== "off",
    search,
    origin: `${scheme}://${host}`,
    hasSession: /(?:^|;\s*)frontdesk-session=/.test(fields.get("cookie") ?? ""),
  };
}

/** The address of a page, with the period and the live switch as they stand. */
export function hrefOf(open: OpenPage, page: ConsolePage | undefined, search: Search = {}): string {
  const kept = { period: open.period === "1h" ? undefined : open.period, live: open.isLive ? undefined : "off", ...search };
  const given = Object.entries(kept).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const query = new URLSearchParams(given).toString();
  return `/gateway${page ? `/${page}` : ""}${query && `?${query}`}`;
}

/** The same page with other parameters. */
export function hrefHere(open: OpenPage, search: Search): string {
  return hrefOf(open, open.page, { ...open.search, ...search });
}
