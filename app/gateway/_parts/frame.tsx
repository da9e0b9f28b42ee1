/** The frame of every page: what runs here, the period, the live switch, the pages, and the way out. */
import { cookies } from "next/headers.js";
import Link from "next/link.js";
import type { ReactNode } from "react";
import { CONSOLE_PAGES } from "../../../lib/admin/console-paths.ts";
import type { Period } from "../../../lib/observe/traffic.ts";
import { Fault } from "./card.tsx";
import { LocalTime } from "./local-time.tsx";
import { hrefHere, hrefOf, type OpenPage } from "./open-console.ts";
import { Refresh } from "./refresh.tsx";
import { StateDot } from "./state-dot.tsx";
import { THEME_COOKIE, themeIn } from "./theme.ts";
import { ThemeSwitch } from "./theme-switch.tsx";

const PERIOD_NAMES: Readonly<Record<Period, string>> = {
  "15m": "15 min",
  "1h": "1 h",
  "24h": "24 h",
  "7d": "7 d",
  "30d": "30 d",
};
const FAST_MS = 5_000;
const SLOW_MS = 30_000;

interface FrameProps {
  readonly open: OpenPage;
  readonly title: string;
  /** What the page can't know of other instances where the store is one instance's own. */
  readonly ownOnly: string;
  /** Whether the page depends on the period. */
  readonly hasPeriod?: boolean;
  readonly children: ReactNode;
}

export async function Frame({ open, title, ownOnly, hasPeriod = false, children }: FrameProps) {
  const { page, overview, period, isLive } = open;
  const theme = themeIn((await cookies()).get(THEME_COOKIE)?.value);
  const isAlone = overview.host === "vercel" && /memory/.test(overview.stores.log);
  const isSlow = hasPeriod && (period === "7d" || period === "30d" || period === "24h");
  return (
    <>
      <a className="skip" href="#main">
        To the content
      </a>
      <header>
        <TopBar open={open} hasPeriod={hasPeriod} theme={theme} />
        <nav aria-label="Pages">
          {[undefined, ...CONSOLE_PAGES].map((each) => (
            <Link key={each ?? ""} href={hrefOf(open, each)} prefetch={false} {...(each === page && { "aria-current": "page" })}>
              {nameOf(each)}
            </Link>
          ))}
        </nav>
      </header>
      <main id="main">
        <h1 className={page ? "" : "unseen"}>{title}</h1>
        {isAlone ? <p className="notice">No Redis is set, so that each instance has its own memory: {ownOnly}</p> : null}
        {overview.storeStatus.state === "away" ? (
          <Fault>{`The store is away (${overview.storeStatus.reason}): limits do what their onUnavailable says.`}</Fault>
        ) : null}
        {children}
      </main>
      {isLive ? <Refresh everyMs={isSlow ? SLOW_MS : FAST_MS} /> : null}
    </>
  );
}

function nameOf(page: string | undefined): string {
  return page === undefined ? "Overview" : page[0]!.toUpperCase() + page.slice(1);
}

function TopBar({ open, hasPeriod, theme }: Pick<FrameProps, "open" | "hasPeriod"> & { theme: ReturnType<typeof themeIn> }) {
  const { overview, period, isLive, hasSession } = open;
  const { environment, region, host, digest, loadedAt, storeStatus } = overview;
  return (
    <div className="bar">
      <Link className="logo" href={hrefOf(open, undefined)} prefetch={false}>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path d="M3 14.5h14M4.5 14a5.5 5.5 0 0 1 11 0M10 8.2V5.6M8.2 5.3h3.6" />
        </svg>
        Frontdesk
      </Link>
      <span className="chip">
        <StateDot state={storeStatus.state} /> <b>{environment}</b> · {region ?? host}
      </span>
      <Link className="chip wide" href={hrefOf(open, "config")} prefetch={false}>
        config <code>{digest.slice(0, 8)}</code> · <LocalTime time={loadedAt} />
      </Link>
      <span className="grow" />
      {hasPeriod ? (
        <nav className="periods" aria-label="Period">
          {Object.entries(PERIOD_NAMES).map(([each, name]) => (
            <Link
              key={each}
              className="chip"
              href={hrefHere(open, { period: each })}
              prefetch={false}
              scroll={false}
              {...(each === period && { "aria-current": "true" })}
            >
              {name}
            </Link>
          ))}
        </nav>
      ) : null}
      <Link className="chip live" href={hrefHere(open, { live: isLive ? "off" : undefined })} prefetch={false} scroll={false}>
        <StateDot state={isLive ? "live" : "paused"} />
        <span className="unseen">{isLive ? ": pause" : ": go on"}</span>
      </Link>
      <ThemeSwitch initial={theme} />
      {hasSession ? (
        <form method="post" action="/gateway/sign-out">
          <button type="submit" className="chip">
            Sign out
          </button>
        </form>
      ) : null}
    </div>
  );
}
