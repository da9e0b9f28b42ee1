/** `auth`: finds the caller's credential, has its authenticator judge it, and keeps it from the backend. */
import { type Authenticator, isRejection, type Redirect, type Rejection } from "../../authenticator.ts";
import type { Consumer, Exchange, Json } from "../../exchange.ts";
import { AMBIGUOUS, nameOfPlace, readCredential } from "../../http/credential.ts";
import { HeaderList } from "../../http/header-list.ts";
import type { Decision, MaybePromise, Outgoing, Policy, PolicyDefinition } from "../../policy.ts";
import { type Answer, type Refusal, refuse } from "../../problem.ts";
import type { Question, Reply } from "../../stores/questions.ts";
import type { AuthOptions } from "./options.ts";

/** A credential and who judges it, or why it can't be judged. */
interface Found {
  readonly by: Authenticator;
  readonly value: string;
  readonly fault: Rejection | undefined;
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
    const missing = ({ target }: Exchange) => (metadata ? refuseMissing(accepted, metadata.urlFor(target)) : missingAnywhere);
    const asks = accepted.some(({ reads }) => reads);
    /** What was found when the questions were asked, for when they are answered. */
    const asked = new WeakMap<Exchange, { found: readonly Found[]; counts: readonly number[] }>();
    /** Where what stands there stays here. */
    const kept = accepted.flatMap(({ places, mayForward }) => (mayForward && backend?.forwardCredential ? [] : places));
    const find = need === "all" ? findAll : findOne;
    const handsOn = accepted.some(({ onRequest }) => onRequest);

    function concluded(results: readonly Result[], found: readonly Found[], exchange: Exchange): Decision {
      const rejected = results.findIndex(isRejection);
      if (rejected < 0) {
        exchange.consumer = joined(results as readonly Consumer[]);
        if (handsOn && results.length > 1) exchange.carry[EACH] = results as unknown as Json;
        return undefined;
      }
      const rejection = results[rejected] as Rejection;
      if (rejection.rejected === "missing" && optional) return undefined;
      if (rejection.redirect) return redirectTo(rejection.redirect);
      if (rejection.rejected === "missing") return missing(exchange);
      return refuseRejected(rejection, found[rejected]!, accepted, metadata?.urlFor(exchange.target));
    }

    const policy: Policy = {
      decide(exchange, replies): MaybePromise<Decision> {
        const { found, counts } = asked.get(exchange) ?? { found: find(accepted, exchange), counts: [] };
        if (found.length === 0) return optional ? undefined : missing(exchange);
        if (found.length < (need === "all" ? accepted.length : 1)) return missing(exchange);
        const results = verifyAll(found, exchange, replies, counts);
        return results instanceof Promise
          ? results.then((settled) => concluded(settled, found, exchange))
          : concluded(results, found, exchange);
      },
      removes: kept,
    };
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
    if (asks) {
      policy.reads = (exchange) => {
        const found = find(accepted, exchange);
        const questions = found.map(({ by, value, fault }) => (fault ? [] : (by.reads?.(value, exchange) ?? [])));
        const all: readonly Question[] = questions.flat();
        if (all.length > 0) asked.set(exchange, { found, counts: questions.map(({ length }) => length) });
        return all;
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

/** The one that judges: the first whose credential it certainly is, else the first that has one to judge. */
function findOne(accepted: readonly Authenticator[], exchange: Exchange): readonly Found[] {
  let perhaps: Found | undefined;
  for (const by of accepted) {
    const { found, certain } = credentialFor(by, exchange);
    if (found && (certain || accepted.length === 1)) return [found];
    perhaps ??= found;
  }
  return perhaps ? [perhaps] : [];
}

function findAll(accepted: readonly Authenticator[], exchange: Exchange): readonly Found[] {
  return accepted.flatMap((by) => credentialFor(by, exchange).found ?? []);
}

function credentialFor(by: Authenticator, { request, target }: Exchange): { found: Found | undefined; certain: boolean } {
  for (const place of by.places) {
    const value = readCredential(request.headers, target.raw, place);
    if (value === undefined) continue;
    if (value === AMBIGUOUS) {
      const fault: Rejection = { rejected: "invalid", reason: `several credentials in ${nameOfPlace(place)}` };
      return { found: { by, value: "", fault }, certain: true };
    }
    const whose = by.recognizes?.(value, place) ?? "theirs";
    if (whose !== "no") return { found: { by, value, fault: undefined }, certain: whose === "theirs" };
  }
  return { found: by.judgesAll ? { by, value: "", fault: undefined } : undefined, certain: false };
}

type Result = Consumer | Rejection;

/** A promise only where an authenticator needs one: a remembered credential costs no turn of the event loop. */
function verifyAll(
  found: readonly Found[],
  exchange: Exchange,
  replies: readonly Reply[],
  counts: readonly number[],
): MaybePromise<readonly Result[]> {
  if (found.length === 1) {
    const [{ by, value, fault }] = found as readonly [Found];
    const result = fault ?? by.verify(value, exchange, replies);
    return result instanceof Promise ? result.then((settled) => [settled]) : [result];
  }
  let first = 0;
  let isPending = false;
  const results = found.map(({ by, value, fault }, index): MaybePromise<Result> => {
    const count = counts[index] ?? 0;
    const own = count === 0 ? [] : replies.slice(first, first + count);
    first += count;
    const result = fault ?? by.verify(value, exchange, own);
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
  { by }: Found,
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
