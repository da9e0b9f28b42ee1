/** `scopes`, `roles`, `claims`, `owner`: what a caller must be allowed to do. One policy, since they are one decision. */
import { z } from "zod";
import { claimRules, compileClaimRules } from "../../config/claim-rules.ts";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { isOpen, type KeysSchema, type RouteContext, type Setting, type StepOptions } from "../../config/policy-schema.ts";
import { asList, oneOf, strict } from "../../config/schema-fields.ts";
import type { ClaimRule } from "../../contract/claims.ts";

/** Absent: not asked for. */
export interface AuthorizeOptions {
  readonly scopes?: NameRule | undefined;
  readonly roles?: NameRule | undefined;
  readonly claims: readonly ClaimRule[];
  readonly owner?: OwnerRule | undefined;
}

export interface NameRule {
  readonly need: "all" | "any";
  readonly names: readonly string[];
}

export interface OwnerRule {
  readonly param: string;
  readonly from: "claim";
  /** Of the claim. */
  readonly name: string;
}

const names = z.array(z.string()).min(1);
const rule = (what: string) =>
  oneOf(`a ${what}, a list of which all are needed, or { anyOf }`, [
    z.string(),
    names,
    strict(`${what}s`, { anyOf: names.describe(`One of these ${what}s suffices`) }),
  ]);

const settings = {
  scopes: rule("scope").describe("Scopes that the caller needs: all of them, or `{ anyOf: [...] }`"),
  roles: rule("role").describe("Roles that the caller needs: all of them, or `{ anyOf: [...] }`"),
  claims: claimRules.describe(
    "Claims that the caller's token must have, by name: a value, a pattern with `*`, or a list of which one fits",
  ),
  owner: strict("owner", {
    param: z.string().describe("The parameter of the path"),
    claim: z.string().describe("The claim that must have the same value, or hold it in its list"),
  }).describe('A path parameter that must be the caller\'s own: `{ param: "userId", claim: "sub" }`'),
};

type Given = { readonly [Key in keyof typeof settings]?: Setting<z.output<(typeof settings)[Key]>> };

export const authorizeSchema = {
  description: "What a known caller must be allowed to do: `scopes`, `roles`, `claims`, `owner`",
  settings,
  expects: {
    scopes: "a scope, a list of scopes, { anyOf }",
    roles: "a role, a list of roles, { anyOf }",
    claims: "rules by the name of a claim",
    owner: "{ param, claim }",
  },
  restricts: true,
  isByMethod: true,
  forConfig: () => ({ steps }),
} satisfies KeysSchema;

/** Rights of `defaults` mean nothing on a route that knows no callers; the route's own rights are a mistake there. */
function steps(given: Given, fields: Fields, route: RouteContext): readonly StepOptions<AuthorizeOptions>[] {
  const settings = Object.entries(given);
  if (settings.length === 0) return [];
  if (isOpen(route)) {
    for (const [key, { place, isDefault }] of settings)
      if (!isDefault)
        fields.report.error(
          "needs-auth",
          place,
          `\`${key}\` asks who calls, and \`auth: "none"\` asks nobody.`,
          "Name an authenticator in `auth`.",
        );
    return [];
  }
  const { scopes, roles, claims, owner } = given;
  return [
    {
      options: {
        scopes: scopes ? nameRule(scopes.value) : undefined,
        roles: roles ? nameRule(roles.value) : undefined,
        claims: claims ? compileClaimRules(claims.value, claims.place, fields) : [],
        owner: owner ? ownerRule(owner.value, owner.place, fields) : undefined,
      },
    },
  ];
}

function nameRule(given: z.output<typeof settings.scopes>): NameRule {
  return typeof given === "object" && "anyOf" in given
    ? { need: "any", names: given.anyOf }
    : { need: "all", names: asList<string>(given) };
}

function ownerRule({ param, claim }: z.output<typeof settings.owner>, place: ConfigPath, fields: Fields): OwnerRule {
  fields.param(param, [...place, "param"]);
  return { param, from: "claim", name: claim };
}
