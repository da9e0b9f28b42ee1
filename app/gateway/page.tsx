/** The console's first page: what runs here, by which config, on which stores, and the last requests of this instance. */
import { headers } from "next/headers.js";
import { notFound } from "next/navigation.js";
import type { Overview } from "../../lib/admin/overview.ts";
import { whyOf } from "../../lib/admin/why.ts";
import { consoleView } from "../../lib/console/shared-view.ts";
import { consoleReady } from "../../lib/hosts/vercel/halves.ts";
import { HeaderList } from "../../lib/http/header-list.ts";
import { EventLoop } from "./event-loop.tsx";

export const dynamic = "force-dynamic";

export default async function ConsolePage() {
  await consoleReady();
  const fields = await headers();
  const view = consoleView();
  // Asked again although the gate stood before: a page must not depend on a front half alone.
  if (!view?.admits({ host: fields.get("host") ?? "", headers: new HeaderList([...fields.entries()].flat()) })) notFound();
  const overview = await view.overview();
  return (
    <main>
      <Masthead overview={overview} />
      <Routes routes={overview.routes} />
      <div className="columns">
        <Backends backends={overview.backends} />
        <Stores stores={overview.stores} status={overview.storeStatus} />
      </div>
      <Recent records={overview.recent} />
    </main>
  );
}

function Masthead({ overview }: { overview: Overview }) {
  return (
    <header>
      <h1>Frontdesk</h1>
      <dl>
        <div>
          <dt>Config</dt>
          <dd>
            <code>{overview.digest.slice(0, 12)}</code>
          </dd>
        </div>
        <div>
          <dt>Loaded</dt>
          <dd>
            <time>{overview.loadedAt.replace("T", " ").slice(0, 19)} UTC</time>
          </dd>
        </div>
        <div>
          <dt>Host</dt>
          <dd>{overview.host}</dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>{overview.version}</dd>
        </div>
        {overview.load ? <EventLoop load={overview.load} /> : null}
      </dl>
    </header>
  );
}

function Routes({ routes }: { routes: Overview["routes"] }) {
  return (
    <section>
      <h2>Routes</h2>
      <table>
        <thead>
          <tr>
            <th>Methods</th>
            <th>Path</th>
            <th>Goes to</th>
            <th>Steps</th>
          </tr>
        </thead>
        <tbody>
          {routes.map(({ host, path, methods, when, goesTo, mirrorsTo, fallsBackTo, steps }) => (
            <tr key={`${host} ${path} ${methods} ${when} ${goesTo}`}>
              <td>{methods?.join(", ") ?? "all"}</td>
              <td>
                <code>
                  {host}
                  {path}
                </code>
                {when.length > 0 ? <span className="quiet"> by {when.join(", ")}</span> : null}
              </td>
              <td>
                {goesTo}
                {mirrorsTo ? <span className="quiet">, copies to {mirrorsTo}</span> : null}
                {fallsBackTo ? <span className="quiet">, else to {fallsBackTo}</span> : null}
              </td>
              <td>{steps.join(", ") || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Backends({ backends }: { backends: Overview["backends"] }) {
  return (
    <section>
      <h2>Backends</h2>
      {backends.length === 0 ? <p className="quiet">None: every route answers by itself.</p> : null}
      <dl className="list">
        {backends.map(({ name, targets }) => (
          <div key={name}>
            <dt>{name}</dt>
            {targets.map(({ url, state, reason, inFlight }) => (
              <dd key={url}>
                <code>{url}</code>
                <span className={`target ${state}`}>{state}</span>
                <span className="quiet">
                  {inFlight > 0 ? ` ${inFlight} under way` : ""}
                  {reason ? ` ${reason}` : ""}
                </span>
              </dd>
            ))}
          </div>
        ))}
      </dl>
    </section>
  );
}

function Stores({ stores, status }: { stores: Overview["stores"]; status: Overview["storeStatus"] }) {
  return (
    <section>
      <h2>Stores</h2>
      {status.state === "away" ? (
        <p>
          <span className="target down">away</span> {status.reason} since {status.since}; limits do what their onUnavailable says.
        </p>
      ) : null}
      <dl className="list">
        {Object.entries(stores).map(([name, where]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{where}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Recent({ records }: { records: Overview["recent"] }) {
  return (
    <section>
      <h2>Last requests of this instance</h2>
      {records.length === 0 ? <p className="quiet">None yet. Send one, and load this page again.</p> : null}
      {records.length > 0 ? (
        <table>
          <thead>
            <tr>
              <th>Time</th>
              <th>Request</th>
              <th>Status</th>
              <th>Answered by</th>
              <th className="number">ms</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {records.map((record) => (
              <tr key={`${record.requestId} ${record.startedAt}`}>
                <td>
                  <time>{new Date(record.startedAt).toISOString().slice(11, 19)}</time>
                </td>
                <td>
                  <code>
                    {record.method} {record.path}
                  </code>
                </td>
                <td>
                  <span className={`status s${Math.floor(record.status / 100)}`}>{record.status}</span>
                  {record.aborted ? " broke off" : ""}
                </td>
                <td>
                  {record.source}
                  {record.mirror ? <span className="quiet">{` copy: ${record.mirror}`}</span> : null}
                </td>
                <td className="number">{record.durationMs.toFixed(1)}</td>
                <td>{whyOf(record)?.replaceAll("`", "") ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}
