/** `auth`: finds the caller's credential, has its authenticator judge it, and keeps it from the backend. */
import { type Ask, ask, isAsk } from "../../contract/ask.ts";
import { type Authenticator, type AuthFailure, isAuthFailure, type Redirect } from "../../contract/authenticator.ts";
import type { Exchange, Outgoing } from "../../contract/exchange.ts";
import type { Json } from "../../contract/json.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import type { Decision, Policy, PolicyDefinition } from "../../contract/policy.ts";
import { type LocalResponse, type Refusal, refuse } from "../../contract/problem.ts";
import type { Consumer } from "../../contract/request.ts";
import { AMBIGUOUS, nameOfSource, readCredential } from "../../http/credential.ts";
import { HeaderList } from "../../http/header-list.ts";
import type { AuthOptions } from "./options.ts";

type Result = Consumer | AuthFailure;

/** A credential and who judges it. */
interface Found {
  readonly by: Authenticator;
  readonly value: string;
  /** Its form alone shows that it is not accepted. */
  readonly result: AuthFailure | undefined;
  /** Its form shows that it is for `by`. */
  readonly isCertain: boolean;
}

/** What becomes of a request on a route. */
interface Ways {
  readonly accepted: readonly Authenticator[];
  /** Nothing was presented. */
  missing(exchange: Exchange): Decision;
  failed(failure: AuthFailure, by: Authenticator, exchange: Exchange): Decision;
}

/** In `state`: each identity of several, for what its authenticator tells the backend. */
const EACH = "auth.each";

export const auth: PolicyDefinition<AuthOptions> = {
  name: "auth",
  phase: "identify",
  refuses: ["credentials-missing", "credentials-invalid", "not-allowed", "overloaded", "store-unavailable"],
  cacheable: false,
  create({ accept, need, optional }, _, __, { authenticators, backend, metadata }) {
    const accepted = accept.map((name) => authenticators.get(name)!);
    const missingAnywhere = refuseMissing(accepted, undefined);
    /** Where what stands there stays here. */
    const kept = accepted.flatMap(({ sources, mayForward }) => (mayForward && backend?.forwardCredential ? [] : sources));
    const handsOn = accepted.some(({ onRequest }) => onRequest);
    const ways: Ways = {
      accepted,
      missing({ target }) {
        if (optional) return undefined;
        return metadata ? refuseMissing(accepted, metadata.urlFor(target)) : missingAnywhere;
      },
      failed(failure, by, exchange) {
        if (failure.kind === "missing" && (optional || !failure.redirect)) return ways.missing(exchange);
        if (failure.redirect) return redirectTo(failure.redirect);
        return refuseFailed(failure, by, accepted, metadata?.urlFor(exchange.target));
      },
    };
    const policy: Policy = { ...(need === "all" ? judgeAll(ways, handsOn) : judgeOne(ways)), strippedCredentials: kept };
    if (handsOn) {
      const tell = (exchange: Exchange, outgoing: Outgoing, consumer: Consumer) =>
        authenticators.get(consumer.authenticator)?.onRequest?.(exchange, outgoing, consumer);
      policy.onRequest = (exchange, outgoing) => {
        const each = exchange.state[EACH] as unknown as readonly Consumer[] | undefined;
        // The first comes last: of a field that several set, its value stands.
        if (each) for (const consumer of each.toReversed()) tell(exchange, outgoing, consumer);
        else if (exchange.consumer) tell(exchange, outgoing, exchange.consumer);
      };
    }
    if (accepted.some(({ onSend }) => onSend)) {
      policy.onSend = (exchange, head) => {
        if (exchange.consumer) for (const by of accepted) by.onSend?.(exchange, head);
      };
    }
    return policy;
  },
};

type Judge = Pick<Policy, "decide" | "asks">;

/** Any one suffices. A promise only where an authenticator needs one: a remembered credential costs no turn of the event loop. */
function judgeOne({ accepted, missing, failed }: Ways): Judge {
  return {
    asks: accepted.some(({ asks }) => asks),
    decide(exchange) {
      const found = findOne(accepted, exchange);
      if (!found) return missing(exchange);
      const { by, value } = found;
      return after(found.result ?? by.verify(value, exchange), (result) => {
        if (isAuthFailure(result)) return failed(result, by, exchange);
        exchange.consumer = result;
        return undefined;
      });
    },
  };
}

/** Every one must be there, and good. */
function judgeAll({ accepted, missing, failed }: Ways, handsOn: boolean): Judge {
  return {
    asks: accepted.some(({ asks }) => asks),
    decide(exchange) {
      const found = findAll(accepted, exchange);
      if (found.length < accepted.length) return missing(exchange);
      return after(verifyAll(found, exchange), (results) => {
        const first = results.findIndex(isAuthFailure);
        if (first >= 0) return failed(results[first] as AuthFailure, found[first]!.by, exchange);
        exchange.consumer = joined(results as readonly Consumer[]);
        if (handsOn && results.length > 1) exchange.state[EACH] = results as unknown as Json;
        return undefined;
      });
    },
  };
}

type Verdict<Result> = MaybePromise<Result | Ask<Result>>;

/** Decides by a verdict once it is known: now, later, or with the results of an ask. */
function after<Result>(verdict: Verdict<Result>, decide: (result: Result) => Decision): Verdict<Decision> {
  if (verdict instanceof Promise) return verdict.then((settled) => after(settled, decide));
  if (!isAsk<Result>(verdict)) return decide(verdict);
  return ask(verdict.calls, (results) => {
    const result = verdict.conclude(results);
    return result instanceof Promise ? result.then(decide) : decide(result);
  });
}

/** The one that judges: the first whose credential it certainly is, else the first that has one to judge. */
function findOne(accepted: readonly Authenticator[], exchange: Exchange): Found | undefined {
  let perhaps: Found | undefined;
  for (const by of accepted) {
    const found = credentialFor(by, exchange);
    if (found?.isCertain) return found;
    perhaps ??= found;
  }
  return perhaps;
}

function findAll(accepted: readonly Authenticator[], exchange: Exchange): readonly Found[] {
  return accepted.flatMap((by) => credentialFor(by, exchange) ?? []);
}

function credentialFor(by: Authenticator, exchange: Exchange): Found | undefined {
  const { request, target } = exchange;
  for (const source of by.sources) {
    const value = readCredential(request.headers, target.raw, source);
    if (value === undefined) continue;
    if (value === AMBIGUOUS) {
      const result: AuthFailure = { kind: "invalid", reason: `several credentials in ${nameOfSource(source)}` };
      return { by, value: "", result, isCertain: true };
    }
    const whose = by.recognizes?.(value, source) ?? "theirs";
    if (whose !== "no") return { by, value, result: undefined, isCertain: whose === "theirs" };
  }
  return by.handlesAnonymous ? { by, value: "", result: undefined, isCertain: false } : undefined;
}

/** What takes time comes first, then the calls of all that ask. */
function verifyAll(found: readonly Found[], exchange: Exchange): Verdict<readonly Result[]> {
  const verdicts = found.map(({ by, value, result }) => result ?? by.verify(value, exchange));
  return verdicts.some(isPending)
    ? Promise.all(verdicts).then(joinAsks)
    : joinAsks(verdicts as readonly (Result | Ask<Result>)[]);
}

function joinAsks(verdicts: readonly (Result | Ask<Result>)[]): readonly Result[] | Ask<readonly Result[]> {
  const calls = verdicts.flatMap((verdict) => (isAsk<Result>(verdict) ? verdict.calls : []));
  if (calls.length === 0) return verdicts as readonly Result[];
  return ask(calls, (results) => {
    let next = 0;
    const all = verdicts.map((verdict) => {
      if (!isAsk<Result>(verdict)) return verdict;
      const first = next;
      next += verdict.calls.length;
      return verdict.conclude(results.slice(first, next));
    });
    return all.some(isPending) ? Promise.all(all) : (all as readonly Result[]);
  });
}

function isPending(value: unknown): boolean {
  return value instanceof Promise;
}

/** Of several identities the first is who calls; what the others may do comes on top. */
function joined(consumers: readonly Consumer[]): Consumer {
  const [first, ...others] = consumers;
  if (others.length === 0) return first!;
  return {
    ...first!,
    scopes: [...new Set(consumers.flatMap(({ scopes = [] }) => scopes))],
    roles: [...new Set(consumers.flatMap(({ roles = [] }) => roles))],
    claims: Object.assign({}, ...others.map(({ claims }) => claims).reverse(), first!.claims),
  };
}

function refuseMissing(accepted: readonly Authenticator[], metadata: string | undefined): Refusal {
  return refuse("credentials-missing", {
    detail: `This route takes ${accepted.map(({ expects }) => expects).join(", or ")}.`,
    reason: `no credential for ${accepted.map(({ name }) => name).join(", ")}`,
    headers: challenges(accepted, metadata),
  });
}

function refuseFailed(
  { kind, reason, detail }: AuthFailure,
  by: Authenticator,
  accepted: readonly Authenticator[],
  metadata: string | undefined,
): Refusal {
  if (kind === "unavailable")
    return refuse("store-unavailable", { reason: `${by.name}: ${reason}`, headers: ["retry-after", "1"] });
  if (kind === "overloaded") return refuse("overloaded", { reason: `${by.name}: ${reason}`, headers: ["retry-after", "1"] });
  if (kind === "not-allowed") return refuse("not-allowed", { detail, reason: `${by.name}: ${reason}` });
  return refuse("credentials-invalid", {
    detail,
    reason: `${by.name}: ${reason}`,
    headers: challenges(accepted, metadata, by, detail),
  });
}

/** Not for anybody else, nor for later: the way in is this caller's. */
function redirectTo({ status, headers }: Redirect): LocalResponse {
  return { status, headers: new HeaderList([...headers, "cache-control", "no-store"]), body: null };
}

/** What would have been accepted, one field for each (RFC 9110 section 11.6.1). */
function challenges(
  accepted: readonly Authenticator[],
  metadata: string | undefined,
  judged?: Authenticator | undefined,
  description?: string | undefined,
): readonly string[] {
  const all = accepted.map((each) =>
    each.challenge(each === judged ? { error: "invalid_token", description } : undefined, metadata),
  );
  return [...new Set(all)].flatMap((challenge) => (challenge === undefined ? [] : ["www-authenticate", challenge]));
}
