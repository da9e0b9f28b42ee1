/** The config that runs, the stores behind it, and the maintenance switch. */
import type { ReactNode } from "react";
import type { MaintenanceState, Reading } from "../../../lib/console/readings.ts";
import { ApiButton } from "../_parts/api-button.tsx";
import { Card, Empty, Fault } from "../_parts/card.tsx";
import { Frame } from "../_parts/frame.tsx";
import { LocalTime } from "../_parts/local-time.tsx";
import { openConsole, type PageProps } from "../_parts/open-console.ts";
import { StateDot } from "../_parts/state-dot.tsx";
import { EventLoop } from "../event-loop.tsx";

export const dynamic = "force-dynamic";
export const metadata = { title: "Config" };

export default async function ConfigPage(props: PageProps) {
  const open = await openConsole("config", props);
  const { overview, view } = open;
  const maintenance = await view.read("maintenance", {});
  return (
    <Frame open={open} title="Config" ownOnly="the maintenance switch turns one instance alone.">
      <Card title="What runs">
        <dl className="facts">
          <Fact name="Config">
            <code>{overview.digest}</code>
          </Fact>
          <Fact name="Loaded">
            <LocalTime time={overview.loadedAt} />
          </Fact>
          <Fact name="Frontdesk">{overview.version}</Fact>
          <Fact name="Host">
            {overview.host}, {overview.environment}
            {overview.region ? `, ${overview.region}` : ""}
          </Fact>
          <Fact name="Authenticators">
            {view
              .config()
              .authenticators.map(({ name, kind }) => `${name} (${kind})`)
              .join(", ") || "none"}
          </Fact>
          <Fact name="Plans that did not open">{overview.unopenedPlans}</Fact>
          {overview.load ? <EventLoop load={overview.load} /> : null}
        </dl>
      </Card>
      <Maintenance reading={maintenance} />
      <Card title="Stores" aside={<StateDot state={overview.storeStatus.state} />}>
        <dl className="facts">
          {Object.entries(overview.stores).map(([name, where]) => (
            <Fact key={name} name={name}>
              {where}
            </Fact>
          ))}
        </dl>
        {overview.storeStatus.outages > 0 ? (
          <p className="quiet">
            Since this instance began: {overview.storeStatus.outages} outages, {overview.storeStatus.unanswered} unanswered trips.
          </p>
        ) : null}
      </Card>
    </Frame>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Maintenance({ reading }: { readonly reading: Reading<MaintenanceState> }) {
  if ("fault" in reading)
    return (
      <Card title="Maintenance">
        <Fault>{reading.fault}</Fault>
      </Card>
    );
  const { on, since, routes, ofRoutes } = reading.value;
  return (
    <Card title="Maintenance" aside={<span>{`${routes} of ${ofRoutes} routes have it`}</span>}>
      {routes === 0 ? <Empty>No route of the config has `maintenance`: the switch would change nothing.</Empty> : null}
      <div className="actions">
        <StateDot state={on ? "on" : "off"} />
        {since ? (
          <span className="quiet">
            since <LocalTime time={since} />
          </span>
        ) : null}
        <ApiButton
          label={on ? "Turn off" : "Turn on"}
          subject="maintenance"
          method="PUT"
          path="maintenance"
          body={{ on: !on }}
          confirm={
            on
              ? `${routes} routes answer again, on every instance within 5 s.`
              : `${routes} routes answer 503, on every instance within 5 s.`
          }
          isDanger={!on}
        />
      </div>
    </Card>
  );
}
