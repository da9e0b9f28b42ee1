/** Kept requests: a live tail with filters, and the one of an id. */
import Link from "next/link.js";
import type { KeptRecord } from "../../../lib/observe/kept-records.ts";
import type { Traffic } from "../../../lib/observe/traffic.ts";
import { Card, Empty, Fault } from "../_parts/card.tsx";
import { Frame } from "../_parts/frame.tsx";
import { hrefHere, hrefOf, type OpenPage, openConsole, type PageProps, type Search } from "../_parts/open-console.ts";
import { RequestList } from "../_parts/request-list.tsx";

export const dynamic = "force-dynamic";
export const metadata = { title: "Requests" };

const CLASSES = ["2xx", "3xx", "4xx", "5xx"];
const FILTERS = ["id", "route", "status", "code", "consumer"] as const;

export default async function RequestsPage(props: PageProps) {
  const open = await openConsole("requests", props);
  const filters = Object.fromEntries(FILTERS.map((name) => [name, open.search[name]?.trim()]));
  const [found, traffic] = await Promise.all([
    open.view.read("requests", { ...filters, cursor: open.search["cursor"] }),
    open.view.read("traffic", { period: "24h" }),
  ]);
  const isFiltered = FILTERS.some((name) => filters[name]);
  return (
    <Frame open={open} title="Requests" ownOnly="these are the requests that one instance kept.">
      <Card title="Kept requests" aside={<span>every refusal, failure and slow request first, and some of the rest</span>}>
        <Filters open={open} filters={filters} traffic={"value" in traffic ? traffic.value : undefined} />
        {"fault" in found ? (
          <Fault>{found.fault}</Fault>
        ) : (
          <Found open={open} records={found.value.items} next={found.value.next} isFiltered={isFiltered} />
        )}
      </Card>
    </Frame>
  );
}

interface FoundProps {
  readonly open: OpenPage;
  readonly records: readonly KeptRecord[];
  readonly next: string | null;
  readonly isFiltered: boolean;
}

function Found({ open, records, next, isFiltered }: FoundProps) {
  if (records.length === 0)
    return isFiltered ? (
      <Empty>
        No kept request fits. <Link href={hrefOf(open, "requests")}>Show all</Link>
      </Empty>
    ) : (
      <Empty command={`curl -i ${open.origin}/`}>No request was kept yet. Send one; it is here within seconds.</Empty>
    );
  return (
    <>
      <RequestList records={records} origin={open.origin} opensFirst={open.search["id"] !== undefined && records.length === 1} />
      {next === null ? null : (
        <p className="more">
          <Link className="button" href={hrefHere(open, { cursor: next, live: "off" })} prefetch={false}>
            Older
          </Link>
        </p>
      )}
    </>
  );
}

interface FiltersProps {
  readonly open: OpenPage;
  readonly filters: Search;
  readonly traffic: Traffic | undefined;
}

/** A form of the page itself: it works without a script, and the filters stand in the URL. */
function Filters({ open, filters, traffic }: FiltersProps) {
  const routes = open.view.config().routes.map(({ id }) => id);
  const codes = new Set([...(traffic?.codes.map(({ name }) => name) ?? []), ...(filters["code"] ? [filters["code"]] : [])]);
  return (
    <form className="filters" method="get" action="/gateway/requests">
      <Choice name="status" label="Status" chosen={filters["status"]} options={CLASSES} />
      <Choice name="route" label="Route" chosen={filters["route"]} options={routes} />
      <Choice name="code" label="Code" chosen={filters["code"]} options={[...codes]} />
      <label>
        Consumer
        <input name="consumer" defaultValue={filters["consumer"] ?? ""} placeholder="any" autoComplete="off" />
      </label>
      <label className="widest">
        Request id
        <input
          name="id"
          defaultValue={filters["id"] ?? ""}
          placeholder="as every problem carries it"
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      {open.isLive ? null : <input type="hidden" name="live" value="off" />}
      <button type="submit" className="button primary">
        Find
      </button>
      <Link className="button" href={hrefOf(open, "requests", { live: undefined })} prefetch={false}>
        Clear
      </Link>
    </form>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly chosen: string | undefined;
  readonly options: readonly string[];
}

function Choice({ name, label, chosen, options }: ChoiceProps) {
  return (
    <label>
      {label}
      <select key={chosen} name={name} defaultValue={chosen ?? ""}>
        <option value="">any</option>
        {[...new Set(options)].map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  );
}
