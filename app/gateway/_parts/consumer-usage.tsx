/** What one caller has used of its limits, and the exception that it may have. */
import type { UsageReport } from "../../../lib/policies/limit/usage-report.ts";
import { ApiButton } from "./api-button.tsx";
import { ApiForm } from "./api-form.tsx";
import { Empty, Fault } from "./card.tsx";
import { LocalTime } from "./local-time.tsx";
import { countText } from "./number-text.ts";
import type { OpenPage } from "./open-console.ts";
import { ShareBar } from "./share-bar.tsx";

/** A consumer's id has its authenticator before the first colon; anything else is an address. */
const CONSUMER = /^[A-Za-z][\w-]*:(?!:)/;
const ADDRESS = /^[\d.]+$|^[\da-f:.]+$/i;

export async function ConsumerUsage({ open, consumer }: { readonly open: OpenPage; readonly consumer: string }) {
  const isAddress = ADDRESS.test(consumer) && !isConsumer(open, consumer);
  const who: Readonly<Record<string, string>> = isAddress ? { ip: consumer } : { consumer };
  const usage = await open.view.read("usage", who);
  if ("fault" in usage) return <Fault>{usage.fault}</Fault>;
  const query = new URLSearchParams(who).toString();
  return (
    <div className="usage">
      <Limits usage={usage.value} />
      <div className="actions">
        {usage.value.limits.length > 0 ? (
          <ApiButton
            label="Reset usage"
            subject={`of ${consumer}`}
            method="DELETE"
            path={`usage?${query}`}
            confirm="What was used is forgotten: all limits begin anew."
          />
        ) : null}
        {usage.value.override ? (
          <ApiButton
            label="Remove the exception"
            subject={`of ${consumer}`}
            method="DELETE"
            path={`overrides/${encodeURIComponent(consumer)}`}
            confirm="The config's limits hold again, everywhere within 5 s."
          />
        ) : null}
      </div>
      {isAddress ? null : <ExceptionForm consumer={consumer} usage={usage.value} />}
    </div>
  );
}

function isConsumer(open: OpenPage, text: string): boolean {
  return CONSUMER.test(text) && open.view.config().authenticators.some(({ name }) => text.startsWith(`${name}:`));
}

function Limits({ usage: { limits } }: { readonly usage: UsageReport }) {
  if (limits.length === 0) return <Empty>No limit counts this caller by itself.</Empty>;
  return (
    <ul className="ranks">
      {limits.map(({ name, route, unit, limit, used, resetsAt }) => (
        <li key={`${name} ${route}`}>
          <span>
            <b>{name}</b> <span className="quiet">{route ?? "over several routes"}</span>
          </span>
          <span className="number">
            {countText(used)} of {countText(limit)} {unit}
          </span>
          <ShareBar part={used} whole={limit} tone={used >= limit ? "bad" : "ok"} />
          <span className="small">
            whole again <LocalTime time={resetsAt} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function ExceptionForm({ consumer, usage: { limits, override } }: { readonly consumer: string; readonly usage: UsageReport }) {
  const names = [...new Set(limits.map(({ name }) => name))];
  return (
    <ApiForm
      method="PUT"
      path={`overrides/${encodeURIComponent(consumer)}`}
      verb="Set the exception"
      done="It is in force everywhere within 5 s."
    >
      <label>
        Tier
        <input name="tier" defaultValue={override?.tier ?? ""} placeholder="as its credentials say" autoComplete="off" />
      </label>
      {names.map((name) => (
        <label key={name}>
          Amount of {name}
          <input
            name={`limits.${name}`}
            data-as="number"
            type="number"
            min="0"
            defaultValue={override?.limits?.[name] ?? ""}
            placeholder={String(limits.find((limit) => limit.name === name)?.limit)}
          />
        </label>
      ))}
    </ApiForm>
  );
}
