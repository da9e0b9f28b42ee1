/** The cache: how many answers came from it, and its purge. */
import { ApiButton } from "../_parts/api-button.tsx";
import { ApiForm } from "../_parts/api-form.tsx";
import { Card, Empty, Fault } from "../_parts/card.tsx";
import { Frame } from "../_parts/frame.tsx";
import { countText, shareText } from "../_parts/number-text.ts";
import { openConsole, type PageProps } from "../_parts/open-console.ts";
import { ShareBar } from "../_parts/share-bar.tsx";

export const dynamic = "force-dynamic";
export const metadata = { title: "Cache" };

const RESULTS = [
  ["hit", "ok", "answered by the cache, fresh"],
  ["stale", "cache", "answered by the cache, stale"],
  ["miss", "warn", "fetched from the backend"],
  ["bypass", "bad", "the request or its answer may not be cached"],
] as const;

export default async function CachePage(props: PageProps) {
  const open = await openConsole("cache", props);
  const traffic = await open.view.read("traffic", { period: open.period });
  const cached = open.view.config().routes.filter(({ byMethod }) => byMethod.some(({ cache }) => cache));
  return (
    <Frame open={open} title="Cache" hasPeriod ownOnly="hits are those of one instance, and a purge reaches its answers alone.">
      <Card title="Requests to routes with a cache" aside={<span>{cached.map(({ id }) => id).join(", ")}</span>}>
        {"fault" in traffic ? <Fault>{traffic.fault}</Fault> : <Shares cache={traffic.value.cache} origin={open.origin} />}
      </Card>
      <Card title="Purge" aside={<span>drops stored answers on every instance that shares the store</span>}>
        <ApiForm method="POST" path="purge" verb="Purge" done="{purged} stored answers were dropped.">
          <label>
            By
            <select name="by" data-as="name-of-next" data-next="value">
              <option value="path">path</option>
              <option value="prefix">prefix</option>
              <option value="tag">tag</option>
            </select>
          </label>
          <label className="widest">
            Which
            <input name="value" required placeholder="/products/1" autoComplete="off" spellCheck={false} />
          </label>
        </ApiForm>
        <div className="more">
          <ApiButton
            label="Purge everything"
            method="POST"
            path="purge"
            body={{ everything: true }}
            confirm="Every stored answer is dropped. Backends get all requests until answers are stored again."
            isDanger
          />
        </div>
      </Card>
    </Frame>
  );
}

function Shares({
  cache,
  origin,
}: {
  readonly cache: Readonly<Record<(typeof RESULTS)[number][0], number>>;
  readonly origin: string;
}) {
  const asked = RESULTS.reduce((sum, [result]) => sum + cache[result], 0);
  if (asked === 0)
    return (
      <Empty command={`curl -i ${origin}/`}>
        No request reached a route with a cache in this period. Answers tell by Cache-Status.
      </Empty>
    );
  return (
    <ul className="ranks">
      {RESULTS.map(([result, tone, said]) => (
        <li key={result}>
          <span>
            <b>{result}</b> <span className="quiet">{said}</span>
          </span>
          <span className="number">
            {countText(cache[result])} · {shareText(cache[result], asked)}
          </span>
          <ShareBar part={cache[result]} whole={asked} tone={tone} />
        </li>
      ))}
    </ul>
  );
}
