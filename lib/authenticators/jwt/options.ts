/** `jwt`: a signed token (RFC 7519) of an issuer that is trusted, or of one's own. */
import type { JWK } from "jose";
import { z } from "zod";
import { claimRules, compileClaimRules } from "../../config/claim-rules.ts";
import type { Fields } from "../../config/fields.ts";
import { headerNames, TOKEN } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { asList, duration, oneOf, oneOrMore, strict } from "../../config/schema-fields.ts";
import type { ClaimRule } from "../../contract/claims.ts";
import type { Template } from "../../contract/template.ts";
import type { CredentialSource } from "../../http/credential.ts";

/** What the authenticator's `create` gets. */
export interface JwtOptions {
  readonly issuers: readonly string[];
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly keys: JwtKeys;
  readonly sources: readonly CredentialSource[];
  readonly scopesFrom: readonly string[];
  readonly rolesFrom: readonly string[];
  readonly tierClaim: string | null;
  readonly consumer: string;
  readonly claims: readonly ClaimRule[];
  readonly typ: string | null;
  readonly toleranceSeconds: number;
  /** Field (lower case) and the claim that it holds. */
  readonly headers: readonly (readonly [field: string, value: Template])[];
  /** Null: a token is good until it ends. */
  readonly revocation: RevocationOptions | null;
}

export interface RevocationOptions {
  /** Tokens that live longer are not taken, and what was revoked is kept for as long. */
  readonly maxLifeMs: number;
}

export type JwtKeys =
  | { readonly kind: "discovery" }
  | { readonly kind: "jwks"; readonly url: string }
  | { readonly kind: "keys"; readonly keys: readonly (readonly JWK[])[] }
  | { readonly kind: "secret"; readonly secrets: readonly (readonly string[])[] };

const SYMMETRIC = ["HS256", "HS384", "HS512"] as const;
const ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const;
const SECRETS = { HS256: "secrets256", HS384: "secrets384", HS512: "secrets512" } as const;

const key = oneOf("a public key as PEM, a JWK or a JWK set", [z.string(), z.record(z.string(), z.unknown())]);
const claimNames = oneOrMore("the name of a claim, or a list of names", z.string());

const revocation = oneOf("true, false or { maxLife }", [
  z.boolean(),
  strict("jwt.revocation", {
    maxLife: duration.describe("How long tokens may live, from `iat` to `exp`: `30d` by default. Others are refused"),
  }),
]);

const setting = strict("jwt", {
  issuer: oneOrMore("the issuer's URL, or a list of them", z.string())
    .optional()
    .describe(
      "Whose tokens are taken: the token's `iss`, to the last slash. Its keys are found by its metadata (OpenID Connect Discovery, RFC 8414). Several are taken for one population of users. Needed but with `secret`",
    ),
  audience: oneOrMore("an audience, or a list of them", z.string())
    .optional()
    .describe("The token's `aud` must name one of these: else tokens that the issuer made for other services are taken too"),
  algorithms: oneOrMore("an algorithm such as RS256, or a list of them", z.enum([...SYMMETRIC, ...ASYMMETRIC]))
    .optional()
    .describe(
      "With these and no others: all of RS, PS, ES and EdDSA by default, HS256 with `secret`. Never both families at once",
    ),
  jwks: z.string().optional().describe("The URL of the key set, where the issuer's metadata doesn't name it"),
  keys: oneOf("a public key as PEM, a JWK or a JWK set, or a list of them", [...key.options, z.array(key).min(1)])
    .optional()
    .describe("Public keys kept in the config instead: PEM, a JWK, a JWK set, or a list of them; nobody is asked"),
  secret: oneOrMore("a secret by reference, or a list of them", z.string())
    .optional()
    .describe(
      "A secret by reference, for your own tokens: at least 32 bytes. `new,old` in the variable, or a list, to rotate it",
    ),
  from: oneOrMore('"header", "header:NAME", "cookie:NAME" or "query:NAME", or a list of them', z.string())
    .optional()
    .describe(
      'Where the token stands: "header" (`Authorization: Bearer`, by default), "header:NAME", "cookie:NAME" or "query:NAME". Of a list, the first place that holds one counts',
    ),
  scopesFrom: claimNames
    .optional()
    .describe("Claims with the caller's scopes: `scope`, `scp` and `permissions` by default, put together"),
  rolesFrom: claimNames
    .optional()
    .describe("Claims with the caller's roles: `roles`, `realm_access.roles` and `cognito:groups` by default, put together"),
  tierClaim: z.string().optional().describe("The claim that names the caller's tier"),
  consumer: z.string().optional().describe("The claim that says who calls: `sub` by default"),
  claims: claimRules
    .optional()
    .describe("Claims that the token must have, by name: a value, a pattern with `*`, or a list of which one fits"),
  typ: z
    .string()
    .optional()
    .describe('The token\'s type, such as "at+jwt" (RFC 9068). By default `JWT`, `at+jwt` and none at all are taken'),
  clockTolerance: duration.optional().describe("By how much clocks may differ: `5s` by default"),
  headers: z
    .record(z.string(), z.string())
    .optional()
    .describe("Claims handed to the backend, by the field's name: `{ x-user-email: email }`. A caller's own are taken away"),
  revocation: revocation
    .optional()
    .describe("true: tokens can be taken back, one by its `jti` or all of a subject (`frontdesk tokens`, the admin API)"),
});

type Given = z.output<typeof setting>;

export const jwtSchema = {
  setting: setting.describe("A signed token (RFC 7519) of an issuer such as Auth0, Clerk or Keycloak, or of your own service"),
  compile(given: Given, place: ConfigPath, fields: Fields): JwtOptions {
    const { report } = fields;
    const { issuer, audience, typ, clockTolerance = "5s", consumer = "sub" } = given;
    const { scopesFrom = ["scope", "scp", "permissions"], rolesFrom = ["roles", "realm_access.roles", "cognito:groups"] } = given;
    if (issuer === undefined && given.secret === undefined)
      report.error("missing-key", place, "`issuer` is missing.", "Only with a `secret` can it be left out.");
    if (audience === undefined && given.claims === undefined && given.secret === undefined)
      report.warn(
        "audience-missing",
        place,
        "tokens that the issuer made for any other service are taken too.",
        "Write `audience`; or, where the tokens have none, `claims` on what tells them apart (`azp`, `client_id`).",
      );
    const algorithms = compileAlgorithms(given, place, fields);
    return {
      issuers: fields.list(issuer, [...place, "issuer"], "issuer"),
      audience: fields.list(audience, [...place, "audience"], "string"),
      algorithms,
      keys: compileKeys(given, algorithms, place, fields),
      sources: asList(given.from ?? "header").flatMap((from, index) => {
        const at = [...place, "from", ...(Array.isArray(given.from) ? [index] : [])];
        return compileSource(from, at, fields) ?? [];
      }),
      scopesFrom: asList(scopesFrom),
      rolesFrom: asList(rolesFrom),
      tierClaim: given.tierClaim ?? null,
      consumer,
      claims: compileClaimRules(given.claims ?? {}, [...place, "claims"], fields),
      typ: typ?.toLowerCase().replace(/^application\//, "") ?? null,
      toleranceSeconds: fields.value(clockTolerance, [...place, "clockTolerance"], "seconds") ?? 5,
      headers: compileHeaders(given.headers ?? {}, [...place, "headers"], fields),
      revocation: compileRevocation(given.revocation ?? false, [...place, "revocation"], fields),
    };
  },
  /** What was revoked must be so for every instance, and after a restart. */
  needsStore: ({ revocation }: JwtOptions): boolean => revocation !== null,
};

function compileRevocation(given: NonNullable<Given["revocation"]>, place: ConfigPath, fields: Fields): RevocationOptions | null {
  if (given === false) return null;
  const { maxLife = "30d" } = given === true ? {} : given;
  const at = [...place, "maxLife"];
  // The command, which revokes, knows no variables of the gateway's.
  return { maxLifeMs: fields.value(fields.plain(String(maxLife), at) ?? "30d", at, "period") ?? 0 };
}

/** A list with both families would let a public key, which anybody has, pass for a secret (RFC 8725 section 2.1). */
function compileAlgorithms({ algorithms, secret }: Given, place: ConfigPath, { report }: Fields): readonly string[] {
  const allowed: readonly string[] = secret === undefined ? ASYMMETRIC : SYMMETRIC;
  if (algorithms === undefined) return secret === undefined ? ASYMMETRIC : ["HS256"];
  const wrong = asList<string>(algorithms).filter((algorithm) => !allowed.includes(algorithm));
  if (wrong.length > 0)
    report.error(
      "wrong-value",
      [...place, "algorithms"],
      `${wrong.join(", ")} can't be used ${secret === undefined ? "without a `secret`: the keys of an issuer are public" : "with a `secret`"}.`,
      `There are ${allowed.join(", ")}.`,
    );
  return asList<string>(algorithms);
}

function compileKeys(given: Given, algorithms: readonly string[], place: ConfigPath, fields: Fields): JwtKeys {
  const { jwks, keys, secret } = given;
  const kinds = (["jwks", "keys", "secret"] as const).filter((name) => given[name] !== undefined);
  if (kinds.length > 1)
    fields.report.error("said-twice", place, `${kinds.map((name) => `\`${name}\``).join(" and ")} exclude each other.`);
  if (secret !== undefined) {
    const at = [...place, "secret"];
    if (asList(secret).some((one) => !one.includes("${env.")))
      fields.report.error(
        "secret-in-config",
        at,
        "a secret stands in the config itself.",
        'Write env("NAME") and keep it in the environment.',
      );
    // RFC 7518 section 3.2: a secret as long as the hash, or longer.
    const longest = SYMMETRIC.findLast((algorithm) => algorithms.includes(algorithm)) ?? "HS256";
    return { kind: "secret", secrets: fields.list(secret, at, SECRETS[longest]) as unknown as string[][] };
  }
  if (keys !== undefined) {
    const texts = asList<unknown>(keys).map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
    const list = Array.isArray(keys) ? texts : texts[0]!;
    return { kind: "keys", keys: fields.list(list, [...place, "keys"], "publicKeys") as unknown as JWK[][] };
  }
  if (jwks !== undefined) return { kind: "jwks", url: fields.value(jwks, [...place, "jwks"], "keysUrl") ?? "" };
  return { kind: "discovery" };
}

function compileSource(from: string, place: ConfigPath, { report }: Fields): CredentialSource | undefined {
  if (from === "header") return { in: "authorization", scheme: "bearer" };
  const [, kind, name] = /^(header|cookie|query):(.+)$/.exec(from) ?? [];
  if (!kind || !name || (kind !== "query" && !TOKEN.test(name))) {
    report.error(
      "value-format",
      place,
      `expected "header", "header:NAME", "cookie:NAME" or "query:NAME", got ${JSON.stringify(from)}.`,
    );
    return undefined;
  }
  return kind === "header" ? { in: "header", name: name.toLowerCase() } : { in: kind as "cookie" | "query", name };
}

function compileHeaders(given: Readonly<Record<string, string>>, place: ConfigPath, fields: Fields): [string, Template][] {
  return headerNames(Object.keys(given), "request", (name) => [...place, name], fields).map(([field, name]) => [
    field,
    [{ from: "claim", name: given[name]! }],
  ]);
}
