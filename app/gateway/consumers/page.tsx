/** Consumers: API keys with what can be done to them, and one consumer's usage, limits and exception. */
import { ApiForm } from "../_parts/api-form.tsx";
import { Card, Empty, Fault } from "../_parts/card.tsx";
import { ConsumerUsage } from "../_parts/consumer-usage.tsx";
import { Frame } from "../_parts/frame.tsx";
import { KeyTable } from "../_parts/key-table.tsx";
import { hrefOf, openConsole, type PageProps } from "../_parts/open-console.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Consumers" };

export default async function ConsumersPage(props: PageProps) {
  const open = await openConsole("consumers", props);
  const { consumer, cursor } = open.search;
  const [keys, overrides] = await Promise.all([open.view.read("keys", { cursor }), open.view.read("overrides", {})]);
  const makers = open.view.config().authenticators.filter(({ keyPrefix }) => keyPrefix !== undefined);
  return (
    <Frame open={open} title="Consumers" ownOnly="keys, usage and exceptions are known to one instance, and end with it.">
      <Card title="Usage and limits of a consumer">
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
        {consumer ? <ConsumerUsage open={open} consumer={consumer} /> : null}
      </Card>
      {makers.length === 0 ? (
        <Card title="API keys">
          <Empty>
            No authenticator of the config takes keys from the store. `auth: {"{ partners: { apiKey: {} } }"}` makes one.
          </Empty>
        </Card>
      ) : (
        <>
          <Card title="New API key">
            <NewKey makers={makers.map(({ name }) => name)} />
          </Card>
          <Card title="API keys">
            {"fault" in keys ? (
              <Fault>{keys.fault}</Fault>
            ) : (
              <KeyTable
                keys={keys.value.items}
                makers={makers}
                hrefOfConsumer={(id) => hrefOf(open, "consumers", { consumer: id })}
                olderHref={
                  keys.value.next === null ? undefined : hrefOf(open, "consumers", { consumer, cursor: keys.value.next })
                }
                origin={open.origin}
              />
            )}
          </Card>
        </>
      )}
      <Card title="Exceptions" aside={<span>limits of single consumers in place of the config's</span>}>
        {"fault" in overrides ? (
          <Fault>{overrides.fault}</Fault>
        ) : Object.keys(overrides.value).length === 0 ? (
          <Empty>There is none. Show a consumer above to make one.</Empty>
        ) : (
          <ul className="ranks">
            {Object.entries(overrides.value).map(([id, override]) => (
              <li key={id}>
                <a href={hrefOf(open, "consumers", { consumer: id })}>
                  <code>{id}</code>
                </a>
                <code>{JSON.stringify(override)}</code>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </Frame>
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
