/** API keys, newest first, with what can be done to each. */
import Link from "next/link.js";
import type { AuthenticatorSummary } from "../../../lib/console/config-summary.ts";
import type { ShownKey } from "../../../lib/console/readings.ts";
import { ApiButton } from "./api-button.tsx";
import { Empty } from "./card.tsx";
import { LocalTime } from "./local-time.tsx";
import { StateDot } from "./state-dot.tsx";

interface KeyTableProps {
  readonly keys: readonly ShownKey[];
  readonly makers: readonly AuthenticatorSummary[];
  readonly hrefOfConsumer: (id: string) => string;
  readonly olderHref: string | undefined;
  readonly origin: string;
}

export function KeyTable({ keys, makers, hrefOfConsumer, olderHref, origin }: KeyTableProps) {
  if (keys.length === 0)
    return (
      <Empty
        command={`curl -X POST ${origin}/gateway/api/keys -H "authorization: Bearer $GATEWAY_ADMIN_TOKEN" -H "content-type: application/json" -d '{"name":"first","consumer":"acme"}'`}
      >
        There is no key yet. Make one above, or by the API:
      </Empty>
    );
  return (
    <>
      <table className="cards">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Consumer</th>
            <th scope="col">State</th>
            <th scope="col">Rights</th>
            <th scope="col">Used</th>
            <th scope="col">Do</th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <KeyRow key={key.id} shown={key} href={hrefOfConsumer(consumerOf(key, makers))} />
          ))}
        </tbody>
      </table>
      {olderHref === undefined ? null : (
        <p className="more">
          <Link className="button" href={olderHref} prefetch={false}>
            Older
          </Link>
        </p>
      )}
    </>
  );
}

/** A key begins with the prefix of its authenticator; two with one prefix can't be told apart, and the first is taken. */
function consumerOf({ consumer, hint }: ShownKey, makers: readonly AuthenticatorSummary[]): string {
  const maker = makers.find(({ keyPrefix }) => hint.startsWith(`${keyPrefix}_`)) ?? makers[0]!;
  return `${maker.name}:${consumer}`;
}

function KeyRow({ shown, href }: { readonly shown: ShownKey; readonly href: string }) {
  const { name, hint, consumer, status, scopes, tier, lastUsedAt, createdAt, expiresAt } = shown;
  return (
    <tr>
      <td data-label="Key">
        <div>
          <b>{name}</b> <code className="quiet">{hint}</code>
        </div>
      </td>
      <td data-label="Consumer">
        <Link href={href} prefetch={false}>
          {consumer}
        </Link>
      </td>
      <td data-label="State">
        <div>
          <StateDot state={status} />
          {expiresAt ? (
            <small className="quiet">
              {" "}
              ends <LocalTime time={expiresAt} />
            </small>
          ) : null}
        </div>
      </td>
      <td data-label="Rights">
        <div>
          <code>{scopes?.join(" ") ?? "no scopes"}</code>
          {tier ? ` tier ${tier}` : ""}
        </div>
      </td>
      <td data-label="Used">
        <div>
          {lastUsedAt ? <LocalTime time={lastUsedAt} /> : "never"}
          <small className="quiet">
            {" "}
            made <LocalTime time={createdAt} />
          </small>
        </div>
      </td>
      <td data-label="Do">
        <KeyActions shown={shown} />
      </td>
    </tr>
  );
}

function KeyActions({ shown: { id, name, status } }: { readonly shown: ShownKey }) {
  const isUsable = status === "active" || status === "retiring";
  return (
    <div className="actions">
      {status === "active" ? (
        <ApiButton
          label="Rotate"
          subject={name}
          method="POST"
          path={`keys/${id}/rotate`}
          body={{}}
          confirm="A successor is made and shown once. The old key goes on working for 7 days."
        />
      ) : null}
      {isUsable ? <ApiButton label="Disable" subject={name} method="POST" path={`keys/${id}/disable`} /> : null}
      {status === "disabled" ? <ApiButton label="Enable" subject={name} method="POST" path={`keys/${id}/enable`} /> : null}
      {isUsable || status === "disabled" ? (
        <ApiButton
          label="Revoke"
          subject={name}
          method="POST"
          path={`keys/${id}/revoke`}
          confirm="The key is refused for good. It stays in this list."
          isDanger
        />
      ) : null}
    </div>
  );
}
