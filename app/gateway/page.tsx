/** The console's first page: traffic of the period, why requests were refused, and how the backends are. */
import Link from "next/link.js";
import type { RequestOutcome } from "../../lib/observe/outcome.ts";
import type { Counted, RouteTraffic, Traffic } from "../../lib/observe/traffic.ts";
import { BackendStrip } from "./_parts/backend-strip.tsx";
import { Card, Empty, Fault } from "./_parts/card.tsx";
import { Frame } from "./_parts/frame.tsx";
import { LatencyChart, LatencyLegend } from "./_parts/latency-chart.tsx";
import { countText, msText, shareText } from "./_parts/number-text.ts";
import { hrefOf, type OpenPage, openConsole, type PageProps } from "./_parts/open-console.ts";
import { OutcomeChart, OutcomeLegend, totalOf } from "./_parts/outcome-chart.tsx";
import { ShareBar } from "./_parts/share-bar.tsx";
import { Sparkline } from "./_parts/sparkline.tsx";

export const dynamic = "force-dynamic";
export const metadata = { title: "Overview" };

const LISTED = 8;
/** As traffic names requests that no route took. */
const NO_ROUTE = "(none)";

export default async function OverviewPage(props: PageProps) {
  const open = await openConsole(undefined, props);
  const traffic = await open.view.read("traffic", { period: open.period });
  return (
    <Frame open={open} title="Overview" hasPeriod ownOnly="these are the requests of one instance, since it began.">
      {"fault" in traffic ? <Fault>{traffic.fault}</Fault> : <TrafficCards open={open} traffic={traffic.value} />}
      <Card title="Backends">
        {open.overview.backends.length > 0 ? (
          <BackendStrip backends={open.overview.backends} />
        ) : (
          <Empty>The config has no backend: every route answers by itself.</Empty>
        )}
      </Card>
      {"value" in traffic ? (
        <div className="two even">
          <TopRoutes open={open} traffic={traffic.value} />
          <LimitedCallers open={open} limited={traffic.value.limited} />
        </div>
      ) : null}
    </Frame>
  );
}

function TrafficCards({ open, traffic }: { readonly open: OpenPage; readonly traffic: Traffic }) {
  if (traffic.requests === 0)
    return (
      <Card title="Requests">
        <Empty command={`curl -i ${open.origin}/`}>
          No request came in this period. Send one; the page shows it within seconds.
        </Empty>
      </Card>
    );
  return (
    <>
      <Figures traffic={traffic} />
      <div className="two">
        <Card title="Outcomes" aside={<OutcomeLegend />}>
          <OutcomeChart traffic={traffic} />
        </Card>
        <Refusals open={open} traffic={traffic} />
      </div>
      <Card title="Latency" aside={<LatencyLegend />}>
        <LatencyChart traffic={traffic} />
      </Card>
    </>
  );
}

function Figures({ traffic }: { readonly traffic: Traffic }) {
  const { points, requests, outcomes, p50, p95, cache, codes } = traffic;
  const share = (outcome: RequestOutcome) => points.map((point) => (totalOf(point) > 0 ? point[outcome] / totalOf(point) : 0));
  const asked = cache.hit + cache.stale + cache.miss + cache.bypass;
  const refusedBy = codes
    .slice(0, 2)
    .map(({ name }) => name)
    .join(", ");
  return (
    <div className="figures">
      <Figure title="Requests" value={countText(requests)} said={`${countText(outcomes.failed)} failed`}>
        <Sparkline values={points.map(totalOf)} tone="plain" />
      </Figure>
      <Figure title="Refused" value={shareText(outcomes.refused, requests)} said={refusedBy || "nobody was refused"}>
        <Sparkline values={share("refused")} tone="warn" />
      </Figure>
      <Figure title="Latency p95" value={msText(p95)} said={`p50 ${msText(p50)}`}>
        <Sparkline values={points.map((point) => point.p95 ?? 0)} tone="plain" />
      </Figure>
      <Figure
        title="From cache"
        value={shareText(cache.hit + cache.stale, asked)}
        said={asked > 0 ? `of ${countText(asked)} requests to routes with a cache` : "no request to a route with a cache"}
      >
        <Sparkline values={share("cache")} tone="cache" />
      </Figure>
    </div>
  );
}

interface FigureProps {
  readonly title: string;
  readonly value: string;
  readonly said: string;
  readonly children: React.ReactNode;
}

function Figure({ title, value, said, children }: FigureProps) {
  return (
    <section className="card figure">
      <h2>{title}</h2>
      <p className="big">{value}</p>
      <p className="said">{said}</p>
      {children}
    </section>
  );
}

function Refusals({ open, traffic: { codes } }: { readonly open: OpenPage; readonly traffic: Traffic }) {
  const [most] = codes;
  return (
    <Card title="Why requests were refused">
      {most ? (
        <ul className="ranks">
          {codes.slice(0, LISTED).map(({ name, count }) => (
            <li key={name}>
              <Link href={hrefOf(open, "requests", { code: name })} prefetch={false}>
                <code>{name}</code>
              </Link>
              <span className="number">{countText(count)}</span>
              <ShareBar part={count} whole={most.count} />
              <a className="small" href={`/gateway/problems/${name}`}>
                what it means<span className="unseen">: {name}</span>
              </a>
            </li>
          ))}
        </ul>
      ) : (
        <Empty>The gateway refused nobody in this period.</Empty>
      )}
    </Card>
  );
}

function TopRoutes({ open, traffic: { routes } }: { readonly open: OpenPage; readonly traffic: Traffic }) {
  const [most] = routes;
  return (
    <Card title="Busiest routes">
      {most ? (
        <ul className="ranks">
          {routes.slice(0, LISTED).map((route: RouteTraffic) => (
            <li key={route.route}>
              {route.route === NO_ROUTE ? (
                <span>no route, or the gateway's own pages</span>
              ) : (
                <Link href={hrefOf(open, "requests", { route: route.route })} prefetch={false}>
                  <code>{route.route}</code>
                </Link>
              )}
              <span className="number">{countText(route.requests)}</span>
              <ShareBar part={route.requests} whole={most.requests} tone="ok" />
              <span className="small quiet">
                p50 {msText(route.p50)} · p95 {msText(route.p95)}
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <Empty>No route took a request in this period.</Empty>
      )}
    </Card>
  );
}

function LimitedCallers({ open, limited }: { readonly open: OpenPage; readonly limited: readonly Counted[] }) {
  const [most] = limited;
  return (
    <Card title="Callers over their limits">
      {most ? (
        <ul className="ranks">
          {limited.slice(0, LISTED).map(({ name, count }) => (
            <li key={name}>
              <Link href={hrefOf(open, "consumers", { consumer: name })} prefetch={false}>
                <code>{name}</code>
              </Link>
              <span className="number">{countText(count)}</span>
              <ShareBar part={count} whole={most.count} />
            </li>
          ))}
        </ul>
      ) : (
        <Empty>No caller went over a limit in this period.</Empty>
      )}
    </Card>
  );
}
