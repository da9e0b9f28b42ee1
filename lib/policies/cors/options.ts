/** `cors`: which origins' scripts may call. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { TOKEN } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { isMethod } from "../../config/method-name.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { asList, duration, oneOf, oneOrMore, strict } from "../../config/schema-fields.ts";
import { isOpenToStrangers } from "../../http/origin.ts";

/** What the policy's `create` gets. */
export interface CorsOptions {
  /** Lists of canonical patterns, one for each entry (a variable may hold several); `*` for anybody. */
  readonly origins: "*" | readonly (readonly string[])[];
  readonly credentials: boolean;
  /** Absent: the one that was asked for. The compiler puts in those of the path's routes. */
  readonly methods?: readonly string[] | undefined;
  /** Absent: those that were asked for. */
  readonly headers?: readonly string[] | undefined;
  readonly expose: readonly string[];
  readonly maxAgeSeconds: number;
}

const names = (what: string) => oneOrMore(`${what} or a list of them`, z.string()).optional();

const full = strict("cors", {
  origins: oneOrMore("an origin or a list of them", z.string()).describe(
    "Origins such as `https://shop.example`; each may hold one `*`, as its first label (any host below) or inside a label (`https://shop-*-team.vercel.app`). `*` alone is everybody",
  ),
  credentials: z
    .boolean()
    .optional()
    .describe("Whether scripts may send cookies and read the answer; false by default, and not possible with `*`"),
  methods: names("a method").describe("Those of all routes of the same path by default"),
  headers: names("the name of a header").describe("Fields that scripts may send; those that a preflight asks for by default"),
  expose: names("the name of a header").describe(
    "Fields of the answer that scripts may read, beside `x-request-id`, `RateLimit`, `RateLimit-Policy`, `Retry-After` and `x-gateway-error`",
  ),
  maxAge: duration.optional().describe("How long a browser keeps the answer to a preflight; `10m` by default"),
});
const setting = oneOf("an origin, a list of origins, or { origins, credentials, methods, headers, expose, maxAge }", [
  z.string(),
  z.array(z.string()).min(1),
  full,
]);

export const corsSchema = {
  setting: setting.describe(
    "Which origins' scripts may call: a list of origins, or `{ origins, credentials, methods, headers, expose, maxAge }`",
  ),
  expects: "an origin, a list of origins, { origins, … }",
  ignoresShadow: true,
  compile(input: z.output<typeof setting>, place: ConfigPath, fields: Fields): CorsOptions {
    const isShort = typeof input === "string" || Array.isArray(input);
    const given = isShort ? { origins: input } : (input as z.output<typeof full>);
    const { credentials = false, methods, headers, expose, maxAge = "10m" } = given;
    return {
      origins: originsOf(given.origins, credentials, isShort ? place : [...place, "origins"], fields),
      credentials,
      methods: methods === undefined ? undefined : listOf(methods, [...place, "methods"], methodOf, fields),
      headers: headers === undefined ? undefined : listOf(headers, [...place, "headers"], fieldOf, fields),
      expose: listOf(expose, [...place, "expose"], fieldOf, fields),
      maxAgeSeconds: fields.value(maxAge, [...place, "maxAge"], "seconds") ?? 600,
    };
  },
  unrouted: (options: CorsOptions) => options,
} satisfies KeySchema;

function originsOf(
  input: string | readonly string[],
  credentials: boolean,
  place: ConfigPath,
  fields: Fields,
): CorsOptions["origins"] {
  if (asList(input).includes("*")) {
    if (credentials)
      fields.report.error(
        "cors-anybody",
        place,
        "`credentials` with `*` would hand every site the data of whoever is signed in.",
      );
    if (asList(input).length > 1)
      fields.report.error("cors-anybody", place, "`*` is everybody, so that the others mean nothing.");
    return "*";
  }
  const origins = fields.list(input, place, "origins");
  for (const pattern of origins.filter(Array.isArray).flat()) {
    if (isOpenToStrangers(pattern))
      fields.report.warn("open-origin", place, `anybody can get a name that fits ${JSON.stringify(pattern)}.`);
  }
  return origins;
}

type ReadName = (name: string, place: ConfigPath, fields: Fields) => string | undefined;

function listOf(input: string | readonly string[] | undefined, place: ConfigPath, read: ReadName, fields: Fields): string[] {
  return asList(input).flatMap((name, index) => read(name, Array.isArray(input) ? [...place, index] : place, fields) ?? []);
}

/** `*` is refused in each list: with credentials browsers take it for a name, and the default says the same without it. */
const fieldOf: ReadName = (name, place, { report }) => {
  if (TOKEN.test(name) && name !== "*") return name.toLowerCase();
  report.error("header-name", place, `${JSON.stringify(name)} is not the name of a header field.`);
  return undefined;
};

/** The Fetch standard compares them case-sensitively: `patch` would never match. */
const methodOf: ReadName = (name, place, { report }) => {
  return isMethod(name, place, report) ? name : undefined;
};
