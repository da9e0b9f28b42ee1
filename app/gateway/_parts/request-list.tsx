/** Kept requests, newest first. A row opens what happened to it, step by step. */
import { whyOf } from "../../../lib/admin/why.ts";
import type { KeptRecord } from "../../../lib/observe/kept-records.ts";
import { CopyButton } from "./copy-button.tsx";
import { LocalTime } from "./local-time.tsx";
import { msText } from "./number-text.ts";
import { Waterfall } from "./waterfall.tsx";

interface RequestListProps {
  readonly records: readonly KeptRecord[];
  readonly origin: string;
  /** The only one is open at once: somebody looked for it. */
  readonly opensFirst: boolean;
}

export function RequestList({ records, origin, opensFirst }: RequestListProps) {
  return (
    <>
      <div className="request head" aria-hidden="true">
        <span>status</span>
        <span>request</span>
        <span>consumer</span>
        <span className="number">ms</span>
        <span>why</span>
        <span className="number">when</span>
      </div>
      <ol className="requests">
        {records.map((record, index) => (
          <li key={`${record.requestId} ${record.time}`}>
            <RequestRow record={record} origin={origin} isOpen={opensFirst && index === 0} />
          </li>
        ))}
      </ol>
    </>
  );
}

function RequestRow({ record, origin, isOpen }: { record: KeptRecord; origin: string; isOpen: boolean }) {
  const { time, status, method, path, consumer, durationMs, code, aborted, requestId } = record;
  const why = whyOf(record) ?? (aborted ? "broke off" : record.cacheStatus?.includes("; hit") ? "cache hit" : "");
  return (
    <details open={isOpen}>
      <summary className="request">
        <span className={`status s${Math.floor(status / 100)}`}>{status}</span>
        <span className="target">
          <b className="method">{method}</b> <code>{path}</code>
        </span>
        <span className="consumer quiet">{consumer ?? "–"}</span>
        <span className="ms number">{durationMs.toFixed(1)}</span>
        <span className="why quiet">{why}</span>
        <span className="when number quiet">
          <LocalTime time={time} />
        </span>
      </summary>
      <div className="fall">
        <Waterfall record={record} />
        <dl className="facts">
          <Fact name="Request id" value={requestId} />
          <Fact name="Route" value={record.route} />
          <Fact name="Host" value={record.host} />
          <Fact name="Consumer" value={consumer} />
          <Fact name="Caller" value={record.clientIp} />
          <Fact name="Cache" value={record.cacheStatus} />
          <Fact name="Backend" value={record.backendMs === undefined ? undefined : msText(record.backendMs)} />
          <Fact name="Mirror" value={record.mirror} />
          <Fact name="Trace" value={record.traceId} />
        </dl>
        <div className="actions">
          <CopyButton text={curlOf(record, origin)} label="Copy as curl" />
          <CopyButton text={requestId} label="Copy the id" />
          {code ? (
            <a className="button" href={`/gateway/problems/${code}`}>
              What {code} means
            </a>
          ) : null}
        </div>
      </div>
    </details>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string | undefined }) {
  if (value === undefined) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
      </dd>
    </div>
  );
}

/** Method, host and path alone: a record has no credentials, and no query. */
function curlOf({ method, host, path }: KeptRecord, origin: string): string {
  const { protocol, host: own } = new URL(origin);
  const address = `'${`${protocol}//${host ?? own}${path}`.replaceAll("'", "'\\''")}'`;
  return `curl -i${method === "GET" ? "" : method === "HEAD" ? " --head" : ` -X ${method}`} ${address}`;
}
