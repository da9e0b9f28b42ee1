/** `authorize`: whether a known caller may do this, by scopes, roles, claims and ownership. */
import type { ChallengeError } from "../../contract/authenticator.ts";
import { claimAt, fitsRule } from "../../contract/claims.ts";
import type { Exchange } from "../../contract/exchange.ts";
import type { PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import type { Consumer } from "../../contract/request.ts";
import type { AuthorizeOptions, NameRule } from "./options.ts";

export const authorize: PolicyDefinition<AuthorizeOptions> = {
  name: "authorize",
  phase: "authorize",
  refuses: ["credentials-missing", "not-allowed"],
  cacheable: false,
  create({ scopes, roles, claims, owner }, _, __, { authenticators, metadata }) {
    /** The rule that is not met, for the record; undefined where the caller may. */
    function faultOf(consumer: Consumer, { params }: Exchange): string | undefined {
      const scopeFault = scopes && missing(scopes, consumer.scopes);
      if (scopeFault) return `scopes: the caller lacks ${scopeFault}`;
      const roleFault = roles && missing(roles, consumer.roles);
      if (roleFault) return `roles: the caller lacks ${roleFault}`;
      const held = consumer.claims ?? {};
      const broken = claims.find((rule) => !fitsRule(claimAt(held, rule.name), rule));
      if (broken) return `claims: "${broken.name}" is not what it must be`;
      if (!owner) return undefined;
      const value = claimAt(held, owner.name);
      const own = Array.isArray(value) ? value : [value];
      // A parameter is text; a number in a claim is compared as it is written.
      return own.some((one) => (typeof one === "string" || typeof one === "number") && String(one) === params[owner.param])
        ? undefined
        : `owner: "${owner.param}" in the path is not the caller's "${owner.name}"`;
    }

    /** RFC 6750 section 3.1: the scopes that would have been enough. */
    function challengeFor(consumer: Consumer, fault: string, { target }: Exchange): readonly string[] {
      if (!scopes || !fault.startsWith("scopes")) return [];
      const error: ChallengeError = { error: "insufficient_scope", scope: scopes.names.join(" ") };
      const challenge = authenticators.get(consumer.authenticator)?.challenge(error, metadata?.urlFor(target));
      return challenge === undefined ? [] : ["www-authenticate", challenge];
    }

    return {
      decide(exchange) {
        const { consumer } = exchange;
        // Callers may be let through unknown (`optional`), but what is asked for here only a known one can have.
        if (!consumer) return refuse("credentials-missing", { reason: "nobody is identified, and the route asks for rights" });
        const fault = faultOf(consumer, exchange);
        if (fault === undefined) return undefined;
        return refuse("not-allowed", { reason: fault, headers: challengeFor(consumer, fault, exchange) });
      },
    };
  },
};

/** What is missing of the names, as text; undefined where enough is there. */
function missing({ need, names }: NameRule, held: readonly string[] = []): string | undefined {
  if (need === "all") return names.find((name) => !held.includes(name));
  return names.some((name) => held.includes(name)) ? undefined : `all of ${names.join(", ")}`;
}
