/** `forward`: another service says who calls, by the request's credentials, method and URL. */
import {
  type Authenticator,
  type AuthenticatorDefinition,
  type AuthFailure,
  isAuthFailure,
} from "../../contract/authenticator.ts";
import type { Exchange } from "../../contract/exchange.ts";
import type { Json } from "../../contract/json.ts";
import type { Consumer } from "../../contract/request.ts";
import { signsInConnection } from "../../http/connection-credential.ts";
import { nameOfSource } from "../../http/credential.ts";
import { VerifiedTokenCache } from "../verified-token-cache.ts";
import { type Granted, type Judgement, judge, unavailable } from "./judgement.ts";
import type { ForwardOptions } from "./options.ts";
import { type ForwardQuestion, isNavigation, questionOf } from "./question.ts";

/** Somebody who was just given a right should not wait long for it. */
const MAX_REFUSAL_MS = 5_000;
/** Of the answer's body nothing is used, and pages to log in are smaller: a service that sends more is none that should be asked. */
const MAX_BODY_BYTES = 1024 * 1024;

export const forward: AuthenticatorDefinition<ForwardOptions> = {
  kind: "forward",
  create(name, options, { deps, claims }) {
    const { sources, allCookies, including, cacheMs, challenge } = options;
    /** Apart, so that made-up credentials, of which anybody has as many as they like, push out nobody who was let in. */
    const granted = new VerifiedTokenCache<Granted>();
    const refused = new VerifiedTokenCache<AuthFailure>();
    const asking = new Map<string, Promise<Judgement>>();
    const carried = `auth.${name}`;

    async function ask({ headers, hasCredential }: ForwardQuestion): Promise<Judgement> {
      const { url, timeoutMs } = options;
      try {
        const answer = await deps.call({ url, headers, timeoutMs, maxBytes: MAX_BODY_BYTES });
        return judge(name, answer, hasCredential, options, claims);
      } catch (error) {
        return unavailable(`the service gave no answer (${faultIn(error)})`);
      }
    }

    /** Those who ask the same at the same time share an answer; it counts from when it was asked for, so that none is used for longer. */
    function askOnce(question: ForwardQuestion, rememberMs: number): Promise<Judgement> {
      const running = asking.get(question.key);
      if (running) return running;
      const askedMs = deps.clock.now();
      const answer = ask(question).then((judgement) => {
        asking.delete(question.key);
        const nowMs = deps.clock.now();
        if (!isAuthFailure(judgement)) {
          const textBytes = 2 * JSON.stringify(judgement).length;
          granted.set(question.key, judgement, askedMs + rememberMs, nowMs, granted.generation, textBytes);
        }
        // A way to log in is for one browser, once; no answer says nothing about the next.
        else if (judgement.kind !== "unavailable" && !judgement.redirect) {
          const untilMs = askedMs + Math.min(rememberMs, MAX_REFUSAL_MS);
          refused.set(question.key, judgement, untilMs, nowMs, refused.generation, 2 * judgement.reason.length);
        }
        return judgement;
      });
      asking.set(question.key, answer);
      return answer;
    }

    function settle(judgement: Judgement, exchange: Exchange): Consumer | AuthFailure {
      if (!isAuthFailure(judgement)) {
        if (judgement.fields.length > 0) exchange.state[carried] = judgement.fields as Json;
        return judgement.consumer;
      }
      const { redirect, ...rejection } = judgement;
      return redirect && isNavigation(exchange) ? judgement : rejection;
    }

    const authenticator: Authenticator = {
      name,
      expects: `what the service behind "${name}" takes in ${sourcesText(options)}`,
      sources,
      handlesAnonymous: true,
      varyHeaders: [...(allCookies ? ["cookie"] : []), ...including],
      mayForward: true,
      fields: options.headers,
      challenge: () => challenge ?? undefined,
      // Only the service can tell whose it is; another authenticator that knows its own goes first.
      recognizes: () => "perhaps",
      verify(_, exchange) {
        const question = questionOf(exchange, options);
        if ("ambiguous" in question) return { kind: "invalid", reason: question.ambiguous };
        // The service would take every later question on this connection for the same caller's.
        if (signsInConnection(question.headers))
          return { kind: "invalid", reason: "NTLM and Negotiate would sign in a connection that callers share" };
        if (cacheMs === null) return ask(question).then((judgement) => settle(judgement, exchange));
        const nowMs = deps.clock.now();
        const known = granted.get(question.key, nowMs) ?? refused.get(question.key, nowMs);
        if (known) return settle(known, exchange);
        return askOnce(question, cacheMs).then((judgement) => settle(judgement, exchange));
      },
      onRequest({ state }, { headers }) {
        const fields = (state[carried] ?? []) as readonly string[];
        // Another authenticator of the route may have set one too (`allOf`): values of two are not put together.
        for (let i = 0; i < fields.length; i += 2) headers.delete(fields[i]!);
        for (let i = 0; i < fields.length; i += 2) headers.append(fields[i]!, fields[i + 1]!);
      },
    };
    return authenticator;
  },
};

function sourcesText({ sources, allCookies }: ForwardOptions): string {
  return [...sources.map(nameOfSource), ...(allCookies ? ["cookies"] : [])].join(" or ");
}

function faultIn(error: unknown): string {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  if (name === "TimeoutError") return "it took too long";
  return typeof code === "string" ? code : String(message ?? error);
}
