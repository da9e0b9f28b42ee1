/** Routes in the order of the config: who may call, limits, cache, where they go, and their traffic of the period. */
import Link from "next/link.js";
import type { RouteOverview } from "../../../lib/admin/overview.ts";
import type { RouteSummary, VariantSummary } from "../../../lib/admin/route-summary.ts";
import type { RouteTraffic } from "../../../lib/observe/traffic.ts";
import { Card, Fault } from "../_parts/card.tsx";
import { Frame } from "../_parts/frame.tsx";
import { countText, msText } from "../_parts/number-text.ts";
import { hrefOf, type OpenPage, openConsole, type PageProps } from "../_parts/open-console.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Routes" };

export default async function RoutesPage(props: PageProps) {
  const open = await openConsole("routes", props);
  const traffic = await open.view.read("traffic", { period: open.period });
  const byRoute = new Map("value" in traffic ? traffic.value.routes.map((route) => [route.route, route]) : []);
  const { routes } = open.view.config();
  return (
    <Frame open={open} title="Routes" hasPeriod ownOnly="traffic is that of one instance.">
      {"fault" in traffic ? <Fault>{traffic.fault}</Fault> : null}
      <Card title={`${routes.length} routes`} aside={<span>in the order of the config; traffic of the period</span>}>
        <table className="cards">
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Callers</th>
              <th scope="col">Settings</th>
              <th scope="col">Goes to</th>
              <th scope="col" className="number">
                Requests
              </th>
              <th scope="col" className="number">
                p95
              </th>
            </tr>
          </thead>
          <tbody>
            {routes.map((route, index) => (
              <RouteRow
                key={route.id}
                open={open}
                route={route}
                shown={open.overview.routes[index]!}
                traffic={byRoute.get(route.id)}
              />
            ))}
          </tbody>
        </table>
      </Card>
    </Frame>
  );
}

interface RouteRowProps {
  readonly open: OpenPage;
  readonly route: RouteSummary;
  readonly shown: RouteOverview;
  readonly traffic: RouteTraffic | undefined;
}

function RouteRow({ open, route, shown, traffic }: RouteRowProps) {
  const { host, path, methods, when } = shown;
  return (
    <tr>
      <td data-label="Route">
        <div>
          {methods?.map((method) => (
            <b key={method} className="method">
              {method}
            </b>
          ))}
          <Link href={hrefOf(open, "requests", { route: route.id })} prefetch={false}>
            <code>
              {host}
              {path}
            </code>
          </Link>
          {when.length > 0 ? <span className="quiet"> by {when.join(", ")}</span> : null}
        </div>
      </td>
      <td data-label="Callers">
        <div>
          <ByMethod route={route} of={({ auth, scopes }) => (auth ? [scopes ? `${auth}: ${scopes}` : auth] : ["everyone"])} />
        </div>
      </td>
      <td data-label="Settings">
        <div>
          <ByMethod route={route} of={settingsOf} />
        </div>
      </td>
      <td data-label="Goes to">
        <div className="settings">
          <span>{shown.goesTo}</span>
          {route.canary ? <small className="quiet">canary {route.canary}</small> : null}
          {route.mirror ? <small className="quiet">copies {route.mirror}</small> : null}
          {shown.fallsBackTo ? <small className="quiet">else {shown.fallsBackTo}</small> : null}
          {shown.steps.includes("fallback") ? <small className="quiet">else a fixed answer</small> : null}
        </div>
      </td>
      <td data-label="Requests" className="number">
        {traffic ? countText(traffic.requests) : "–"}
      </td>
      <td data-label="p95" className="number">
        {msText(traffic?.p95)}
      </td>
    </tr>
  );
}

function settingsOf({ limits, cache, retry, shadow }: VariantSummary): string[] {
  return [
    ...limits.map((limit) => `limit ${limit}`),
    ...(cache ? [`cache ${cache}`] : []),
    ...(retry ? [`retry ${retry}`] : []),
    ...(shadow.length > 0 ? [`shadow ${shadow.join(", ")}`] : []),
  ];
}

/** Once where all methods have the same; else each with its methods. */
function ByMethod({
  route: { byMethod },
  of,
}: {
  readonly route: RouteSummary;
  readonly of: (variant: VariantSummary) => string[];
}) {
  const texts = byMethod.map((variant) => of(variant));
  const isSame = texts.every((text) => text.join() === texts[0]!.join());
  const shown = isSame ? byMethod.slice(-1) : byMethod;
  return (
    <ul className="settings">
      {shown.flatMap((variant) =>
        of(variant).map((text) => (
          <li key={`${variant.methods} ${text}`}>
            {isSame ? null : <b className="method">{variant.methods?.join(" ") ?? "others"}</b>}
            {text}
          </li>
        )),
      )}
    </ul>
  );
}
