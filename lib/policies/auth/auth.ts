/** `auth`: finds the caller's credential, has its authenticator judge it, and keeps it from the backend. */
import { type Authenticator, isRejection, type Redirect, type Rejection } from "../../contract/authenticator.ts";
import type { Exchange, Outgoing } from "../../contract/exchange.ts";
import type { Json } from "../../contract/json.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import type { Decision, Policy, PolicyDefinition } from "../../contract/policy.ts";
import { type Answer, type Refusal, refuse } from "../../contract/problem.ts";
import type { Consumer } from "../../contract/request.ts";
import type { StoreCall, StoreResult } from "../../contract/stores/store-calls.ts";
import { AMBIGUOUS, nameOfPlace, readCredential } from "../../http/credential.ts";
import { HeaderList } from "../../http/header-list.ts";
import type { AuthOptions } from "./options.ts";

type Result = Consumer | Rejection;

/** A credential and who judges it. */
interface Found {
  readonly exchange: Exchange;
  readonly by: Authenticator;
  readonly value: string;
  /** Known without asking: what is wrong with its form, or what `by` remembers of it. */
  result: Result | undefined;
  /** Its form shows that it is for `by`. */
  readonly isCertain: boolean;
}

/** What becomes of a request on a route. */
interface Ways {
  readonly accepted: readonly Authenticator[];
  /** Nothing was presented. */
  missing(exchange: Exchange): Decision;
  rejected(rejection: Rejection, by: Authenticator, exchange: Exchange): Decision;
}

/** In `carry`: each identity of several, for what its authenticator tells the backend. */
const EACH = "auth.each";

export const auth: PolicyDefinition<AuthOptions> = {
  name: "auth",
  row: "identify",
  refuses: ["credentials-missing", "credentials-invalid", "not-allowed", "overloaded", "store-unavailable"],
  cacheable: false,
  create({ accept, need, optional }, _, __, { authenticators, backend, metadata }) {
    const accepted = accept.map((name) => authenticators.get(name)!);
    const missingAnywhere = refuseMissing(accepted, undefined);
    /** Where what stands there stays here. */
    const kept = accepted.flatMap(({ places, mayForward }) => (mayForward && backend?.forwardCredential ? [] : places));
    const handsOn = accepted.some(({ onRequest }) => onRequest);
    const ways: Ways = {
      accepted,
      missing({ target }) {
        if (optional) return undefined;
        return metadata ? refuseMissing(accepted, metadata.urlFor(target)) : missingAnywhere;
      },
      rejected(rejection, by, exchange) {
        if (rejection.rejected === "missing" && (optional || !rejection.redirect)) return ways.missing(exchange);
        if (rejection.redirect) return redirectTo(rejection.redirect);
        return refuseRejected(rejection, by, accepted, metadata?.urlFor(exchange.target));
      },
    };
    const policy: Policy = { ...(need === "all" ? judgeAll(ways, handsOn) : judgeOne(ways)), removes: kept };
    if (handsOn) {
      const tell = (exchange: Exchange, outgoing: Outgoing, consumer: Consumer) =>
        authenticators.get(consumer.authenticator)?.onRequest?.(exchange, outgoing, consumer);
      policy.onRequest = (exchange, outgoing) => {
        const each = exchange.carry[EACH] as unknown as readonly Consumer[] | undefined;
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

type Judge = Pick<Policy, "reads" | "decide">;

/** Any one suffices. A promise only where an authenticator needs one: a remembered credential costs no turn of the event loop. */
function judgeOne({ accepted, missing, rejected }: Ways): Judge {
  /** The last one found: a request's credential is looked for when its questions are asked, and judged right after. */
  let last: Found | undefined;

  function conclude(result: Result, { by, exchange }: Found): Decision {
    if (isRejection(result)) return rejected(result, by, exchange);
    exchange.consumer = result;
    return undefined;
  }

  const judge: Judge = {
    decide(exchange, replies) {
      const found = last?.exchange === exchange ? last : findOne(accepted, exchange);
      last = undefined;
      if (!found) return missing(exchange);
      const result = found.result ?? found.by.verify(found.value, exchange, replies);
      return result instanceof Promise ? result.then((settled) => conclude(settled, found)) : conclude(result, found);
    },
  };
  if (accepted.some(({ reads }) => reads)) {
    judge.reads = (exchange) => {
      last = findOne(accepted, exchange);
      if (!last || last.result) return undefined;
      const answer = last.by.reads?.(last.value, exchange);
      if (answer === undefined || isQuestions(answer)) return answer;
      last.result = answer;
      return undefined;
    };
  }
  return judge;
}

function isQuestions(answer: readonly StoreCall[] | Result): answer is readonly StoreCall[] {
  return Array.isArray(answer);
}

/** Every one must be there, and good. */
function judgeAll({ accepted, missing, rejected }: Ways, handsOn: boolean): Judge {
  /** How many questions each asked of those that are to be answered. */
  const asked = new WeakMap<Exchange, readonly number[]>();

  function conclude(results: readonly Result[], found: readonly Found[], exchange: Exchange): Decision {
    const first = results.findIndex(isRejection);
    if (first >= 0) return rejected(results[first] as Rejection, found[first]!.by, exchange);
    exchange.consumer = joined(results as readonly Consumer[]);
    if (handsOn && results.length > 1) exchange.carry[EACH] = results as unknown as Json;
    return undefined;
  }

  const judge: Judge = {
    decide(exchange, replies) {
      const found = findAll(accepted, exchange);
      if (found.length < accepted.length) return missing(exchange);
      const results = verifyAll(found, exchange, replies, asked.get(exchange) ?? []);
      return results instanceof Promise
        ? results.then((settled) => conclude(settled, found, exchange))
        : conclude(results, found, exchange);
    },
  };
  if (accepted.some(({ reads }) => reads)) {
    judge.reads = (exchange) => {
      const questions = findAll(accepted, exchange).map(({ by, value, result }) => {
        const answer = result ?? by.reads?.(value, exchange);
        return answer !== undefined && isQuestions(answer) ? answer : [];
      });
      asked.set(
        exchange,
        questions.map(({ length }) => length),
      );
      return questions.flat();
    };
  }
  return judge;
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
  for (const place of by.places) {
    const value = readCredential(request.headers, target.raw, place);
    if (value === undefined) continue;
    if (value === AMBIGUOUS) {
      const result: Rejection = { rejected: "invalid", reason: `several credentials in ${nameOfPlace(place)}` };
      return { exchange, by, value: "", result, isCertain: true };
    }
    const whose = by.recognizes?.(value, place) ?? "theirs";
    if (whose !== "no") return { exchange, by, value, result: undefined, isCertain: whose === "theirs" };
  }
  return by.judgesAll ? { exchange, by, value: "", result: undefined, isCertain: false } : undefined;
}

function verifyAll(
  found: readonly Found[],
  exchange: Exchange,
  replies: readonly StoreResult[],
  counts: readonly number[],
): MaybePromise<readonly Result[]> {
  let first = 0;
  let isPending = false;
  const results = found.map(({ by, value, result: known }, index): MaybePromise<Result> => {
    const count = counts[index] ?? 0;
    const own = replies.slice(first, first + count);
    first += count;
    const result = known ?? by.verify(value, exchange, own);
    isPending ||= result instanceof Promise;
    return result;
  });
  return isPending ? Promise.all(results) : (results as Result[]);
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

function refuseRejected(
  { rejected, reason, detail }: Rejection,
  by: Authenticator,
  accepted: readonly Authenticator[],
  metadata: string | undefined,
): Refusal {
  if (rejected === "unavailable")
    return refuse("store-unavailable", { reason: `${by.name}: ${reason}`, headers: ["retry-after", "1"] });
  if (rejected === "overloaded") return refuse("overloaded", { reason: `${by.name}: ${reason}`, headers: ["retry-after", "1"] });
  if (rejected === "not-allowed") return refuse("not-allowed", { detail, reason: `${by.name}: ${reason}` });
  return refuse("credentials-invalid", {
    detail,
    reason: `${by.name}: ${reason}`,
    headers: challenges(accepted, metadata, by, detail),
  });
}

/** Not for anybody else, nor for later: the way in is this caller's. */
function redirectTo({ status, headers }: Redirect): Answer {
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
