/** The step that sends a share of the callers, or those who ask for it, to a backend's canary. The others never get there. */
import type { CompiledCanary } from "../contract/compiled/backend.ts";
import type { Deps } from "../contract/deps.ts";
import type { Exchange, TargetOrder } from "../contract/exchange.ts";
import type { Policy } from "../contract/policy.ts";
import { cookieValue } from "../http/cookie.ts";
import { hashText, mix } from "./balance/hash.ts";
import type { Random } from "./random.ts";
import { stickyCookie } from "./sticky-cookie.ts";

/** Its place in `state`, for a cookie that the caller does not have yet. */
const STATE_KEY = "canary";

export interface CanarySurroundings {
  readonly backend: string;
  /** The canary's place in the list of targets. */
  readonly index: number;
  /** Whom others get where no step before says it. */
  readonly others: TargetOrder;
  readonly random: Random;
  readonly deps: Pick<Deps, "random">;
}

export function canaryStep(canary: CompiledCanary, { backend, index, others, random, deps }: CanarySurroundings): Policy {
  const { share, sticky, when } = canary;
  const name = canaryCookie(backend);
  const cookie = sticky === "cookie" ? stickyCookie(name, STATE_KEY, deps) : undefined;
  /** Two canaries must not have the same callers. */
  const salt = hashText(`${backend} canary`);

  function drawOf({ request, consumer, state }: Exchange): number {
    switch (sticky) {
      case "caller":
        return drawn(consumer?.id ?? request.client.ip);
      case "consumer":
        // Who is nobody yet stays where everybody is.
        return consumer ? drawn(consumer.id) : 1;
      case "cookie":
        return drawn(cookieValue(request.headers, name) ?? (state[STATE_KEY] as string));
      case undefined:
        return random();
    }
  }

  /** The same for the same value: who was among 5% is among 10% too. */
  function drawn(value: string | undefined): number {
    return value === undefined ? random() : (mix(hashText(value) ^ salt) >>> 0) / 2 ** 32;
  }

  return {
    ...cookie,
    decide(exchange) {
      if (cookie?.decide) cookie.decide(exchange);
      // With the others behind it: where the canary fails, the request need not.
      if (asksForIt(when, exchange) || drawOf(exchange) < share) exchange.pool = [[index], ...(exchange.pool ?? others)];
      return undefined;
    },
  };
}

/** The cookie by which a browser stays with what it was given. */
export function canaryCookie(backend: string): string {
  return `canary-${backend}`;
}

function asksForIt(when: CompiledCanary["when"], { request: { headers } }: Exchange): boolean {
  if (!when) return false;
  const holds = (value: string | undefined, wanted: string | true) => (wanted === true ? value !== undefined : value === wanted);
  return (
    when.headers.every(([name, wanted]) => holds(headers.get(name), wanted)) &&
    when.cookies.every(([name, wanted]) => holds(cookieValue(headers, name), wanted))
  );
}
