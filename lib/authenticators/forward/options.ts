/** `forward`: another service says who calls. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { headerName, headerNames, TOKEN } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { asList, duration, flag, oneOrMore, strict } from "../../config/schema-fields.ts";
import type { CredentialSource } from "../../http/credential.ts";

/** What the authenticator's `create` gets. Names of fields are in lower case. */
export interface ForwardOptions {
  readonly url: string;
  /** Where credentials stand that are handed on, and stay here. */
  readonly sources: readonly CredentialSource[];
  /** All cookies are handed on; which of them is the credential only the service knows. */
  readonly allCookies: boolean;
  /** Further fields that are handed on. */
  readonly including: readonly string[];
  readonly subject: string;
  readonly scopes: string | null;
  readonly roles: string | null;
  readonly tier: string | null;
  readonly claims: readonly (readonly [claim: string, field: string])[];
  /** Of the service's answer, for the backend. */
  readonly headers: readonly string[];
  readonly redirect: boolean;
  readonly challenge: string | null;
  readonly timeoutMs: number;
  /** Null: it is asked for each request. */
  readonly cacheMs: number | null;
  readonly cacheBy: "request" | "credential";
}

/** What is no credential to take from everybody: fields that callers of other routes need. */
const NOT_FOR_BACKENDS = /^(?:authorization|cookie|accept.*|content-.*|if-.*|range|origin|referer|user-agent)$/;

const fieldName = z.string();

const setting = strict("forward", {
  url: z.string().describe("The service that is asked, by GET; may be a reference"),
  from: oneOrMore('"authorization", "cookie", "cookie:NAME" or the name of a header field, or a list of them', z.string())
    .optional()
    .describe(
      'Where credentials stand, which are handed on: "authorization" and "cookie" (all cookies) by default, "cookie:NAME", or another header field\'s name',
    ),
  include: oneOrMore("the name of a header field, or a list of them", fieldName)
    .optional()
    .describe(
      "Further header fields of the request that are handed on, such as `accept-language`; they go on to the backend too",
    ),
  consumer: fieldName
    .optional()
    .describe("The field of the answer that says who calls: `x-auth-request-user` by default, as oauth2-proxy has it"),
  scopes: fieldName.optional().describe("The field of the answer with the caller's scopes, by spaces or commas"),
  roles: fieldName.optional().describe("The field of the answer with the caller's roles or groups, by commas"),
  tier: fieldName.optional().describe("The field of the answer that names the caller's tier"),
  claims: z
    .record(z.string(), fieldName)
    .optional()
    .describe("Claims of the caller, by name, and the fields of the answer that hold them: `{ email: x-auth-request-email }`"),
  headers: oneOrMore("the name of a header field, or a list of them", fieldName)
    .optional()
    .describe("Fields of the answer that the backend gets. A caller's own are taken away, on every route"),
  redirect: flag
    .optional()
    .describe(
      "true: where the service answers 3xx, browsers that open a page are sent there, with its `Set-Cookie`; others get 401. By default a 3xx is no answer: 503",
    ),
  challenge: z
    .string()
    .optional()
    .describe('What `WWW-Authenticate` says with 401: `Bearer realm="frontdesk"` by default where `from` names `authorization`'),
  timeout: duration.optional().describe("How long the service may take: `2s` by default; then 503"),
  cache: duration
    .optional()
    .describe(
      "How long a decision is remembered, `1s` to `5m`; a refusal for at most 5 s. By default none is: each request asks the service",
    ),
  cacheBy: z
    .enum(["request", "credential"])
    .optional()
    .describe(
      'What a remembered decision holds for: "request" (by default) for the same credential, method, URL and address; "credential" for that credential wherever it is used',
    ),
});

type Given = z.output<typeof setting>;

export const forwardSchema = {
  setting: setting.describe(
    "Another service is asked, as nginx's `auth_request`, Traefik's ForwardAuth and Envoy's `ext_authz` do: oauth2-proxy, or one of your own",
  ),
  compile(given: Given, place: ConfigPath, fields: Fields): ForwardOptions {
    const { from = ["authorization", "cookie"], include, headers, challenge, cache, redirect = false } = given;
    const field = (key: "consumer" | "scopes" | "roles" | "tier") =>
      given[key] === undefined ? null : answerField(given[key], [...place, key], fields);
    const placeOf = (key: string, value: string | readonly string[] | undefined) => (_: string, index: number) =>
      Array.isArray(value) ? [...place, key, index] : [...place, key];
    if (given.cacheBy !== undefined && cache === undefined)
      fields.report.error(
        "missing-key",
        place,
        "`cacheBy` says what is remembered, and nothing is.",
        "Write `cache`, such as 30s.",
      );
    const names = asList<string>(from).map((one) => (one.startsWith("cookie:") ? one : one.toLowerCase()));
    const included = headerNames(asList<string>(include), "request", placeOf("include", include), fields);
    for (const [name, key] of included)
      if (name === "authorization" || name === "cookie" || names.includes(name))
        fields.report.error(
          "said-twice",
          placeOf("include", include)(key, asList<string>(include).indexOf(key)),
          `\`${name}\` holds a credential.`,
          "Write it in `from`, and only there.",
        );
    return {
      url: fields.value(given.url, [...place, "url"], "serviceUrl") ?? "",
      sources: names.flatMap((one, index) => {
        // Sent once, however often it is written.
        if (names.indexOf(one) < index) return [];
        return credentialSource(one, placeOf("from", from)(one, index), fields) ?? [];
      }),
      allCookies: names.includes("cookie"),
      including: included.map(([name]) => name),
      subject: field("consumer") ?? "x-auth-request-user",
      scopes: field("scopes"),
      roles: field("roles"),
      tier: field("tier"),
      claims: Object.entries(given.claims ?? {}).map(([claim, name]) => [
        claim,
        answerField(name, [...place, "claims", claim], fields),
      ]),
      headers: headerNames(asList<string>(headers), "request", placeOf("headers", headers), fields).map(([name, key]) => {
        if (NOT_FOR_BACKENDS.test(name))
          fields.report.error(
            "header-reserved",
            placeOf("headers", headers)(key, asList<string>(headers).indexOf(key)),
            `\`${name}\` would be taken away from the callers of every route.`,
            "Have the service answer with a field of another name.",
          );
        return name;
      }),
      redirect: fields.value(redirect, [...place, "redirect"], "boolean") ?? false,
      challenge: compileChallenge(challenge, names, [...place, "challenge"], fields),
      timeoutMs: fields.value(given.timeout ?? "2s", [...place, "timeout"], "wait") ?? 2000,
      cacheMs: cache === undefined ? null : (fields.value(cache, [...place, "cache"], "memory") ?? null),
      cacheBy: given.cacheBy ?? "request",
    };
  },
};

/** Undefined for all cookies, and after a fault that was reported. */
function credentialSource(from: string, place: ConfigPath, fields: Fields): CredentialSource | undefined {
  if (from === "authorization") return { in: "authorization" };
  if (from === "cookie") return undefined;
  const cookie = /^cookie:(.*)$/.exec(from)?.[1];
  if (cookie === undefined) {
    const name = headerName(from, "request", place, fields);
    return name === undefined ? undefined : { in: "header", name };
  }
  if (TOKEN.test(cookie)) return { in: "cookie", name: cookie };
  fields.report.error("value-format", place, `${JSON.stringify(cookie)} is not the name of a cookie.`);
  return undefined;
}

/** Whatever the service likes to name it: its answer goes no further. */
function answerField(name: string, place: ConfigPath, { report }: Fields): string {
  if (!TOKEN.test(name)) report.error("header-name", place, `${JSON.stringify(name)} is not the name of a header field.`);
  return name.toLowerCase();
}

function compileChallenge(given: string | undefined, from: readonly string[], place: ConfigPath, fields: Fields): string | null {
  if (given !== undefined) return fields.value(given, place, "header") ?? null;
  return from.includes("authorization") ? 'Bearer realm="frontdesk"' : null;
}
