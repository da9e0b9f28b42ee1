/** Consumers: API keys with what can be done to them, and one consumer's usage, limits and exception. */
import Link from "next/link.js";
import type { Reading, Readings } from "../../../lib/console/readings.ts";
import { ApiForm } from "../_parts/api-form.tsx";
import { Card, Empty, Fault } from "../_parts/card.tsx";
import { ConsumerUsage } from "../_parts/consumer-usage.tsx";
import { Frame } from "../_parts/frame.tsx";
import { KeyTable } from "../_parts/key-table.tsx";
import { hrefHere, hrefOf, type OpenPage, openConsole, type PageProps } from "../_parts/open-console.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Consumers" };

export default async function ConsumersPage(props: PageProps) {
  const open = await openConsole("consumers", props);
  const { consumer, cursor } = open.search;
  const [keys, overrides] = await Promise.all([open.view.read("keys", { cursor }), open.view.read("overrides", {})]);
  return (
    <Frame open={open} title="Consumers" ownOnly="keys, usage and exceptions are known to one instance, and end with it.">
      <Card title="Usage and limits of a consumer">
        <WhichConsumer consumer={consumer} />
        {consumer ? <ConsumerUsage open={open} consumer={consumer} /> : null}
      </Card>
      <Keys open={open} reading={keys} />
      <Card title="Exceptions" aside={<span>limits of single consumers in place of the config's</span>}>
        {"fault" in overrides ? <Fault>{overrides.fault}</Fault> : <Exceptions open={open} overrides={overrides.value} />}
      </Card>
    </Frame>
  );
}

function WhichConsumer({ consumer }: { readonly consumer: string | undefined }) {
  return (
    <form className="form" method="get" action="/gateway/consumers">
      <label className="widest">
        Consumer or address
        <input
          key={consumer}
          name="consumer"
          defaultValue={consumer ?? ""}
          placeholder="partners:acme"
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      <button type="submit" className="button primary">
        Show
      </button>
    </form>
  );
}

function Keys({ open, reading }: { readonly open: OpenPage; readonly reading: Reading<Readings["keys"]> }) {
  const makers = open.view.config().authenticators.filter(({ keyPrefix }) => keyPrefix !== undefined);
  if (makers.length === 0)
    return (
      <Card title="API keys">
        <Empty>
          No authenticator of the config takes keys from the store. `auth: {"{ partners: { apiKey: {} } }"}` makes one.
        </Empty>
      </Card>
    );
  const older = "value" in reading ? reading.value.next : null;
  return (
    <>
      <Card title="New API key">
        <NewKey makers={makers.map(({ name }) => name)} />
      </Card>
      <Card title="API keys">
        {"fault" in reading ? (
          <Fault>{reading.fault}</Fault>
        ) : (
          <KeyTable
            keys={reading.value.items}
            makers={makers}
            hrefOfConsumer={(id) => hrefOf(open, "consumers", { consumer: id })}
            olderHref={older === null ? undefined : hrefHere(open, { cursor: older })}
            origin={open.origin}
          />
        )}
      </Card>
    </>
  );
}

function Exceptions({ open, overrides }: { readonly open: OpenPage; readonly overrides: Readings["overrides"] }) {
  const all = Object.entries(overrides);
  if (all.length === 0) return <Empty>There is none. Show a consumer above to make one.</Empty>;
  return (
    <ul className="ranks">
      {all.map(([id, override]) => (
        <li key={id}>
          <Link href={hrefOf(open, "consumers", { consumer: id })} prefetch={false}>
            <code>{id}</code>
          </Link>
          <code>{JSON.stringify(override)}</code>
        </li>
      ))}
    </ul>
  );
}

function NewKey({ makers }: { readonly makers: readonly string[] }) {
  return (
    <ApiForm method="POST" path="keys" verb="Create key" done="The key {name} was made for {consumer}.">
      <label>
        Name
        <input name="name" required maxLength={200} placeholder="acme, production" autoComplete="off" />
      </label>
      <label>
        Consumer
        <input name="consumer" required maxLength={200} placeholder="acme" autoComplete="off" spellCheck={false} />
      </label>
      <label>
        Scopes
        <input name="scopes" data-as="list" placeholder="orders:read" autoComplete="off" spellCheck={false} />
      </label>
      <label>
        Tier
        <input name="tier" placeholder="none" autoComplete="off" spellCheck={false} />
      </label>
      <label>
        Days to live
        <input name="expiresAt" data-as="days" type="number" min="1" max="3650" placeholder="no end" />
      </label>
      {makers.length > 1 ? (
        <label>
          Authenticator
          <select name="authenticator">
            {makers.map((maker) => (
              <option key={maker}>{maker}</option>
            ))}
          </select>
        </label>
      ) : null}
    </ApiForm>
  );
}
