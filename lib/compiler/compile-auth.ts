/** Authenticators of a config, compiled: each of one kind, with that kind's options. */
import type { ApiKeyOptions } from "../authenticators/api-key/options.ts";
import { isOfKind } from "../authenticators/authenticator-of-kind.ts";
import { AUTHENTICATOR_SCHEMAS } from "../authenticators/schemas.ts";
import type { RedisOnVercel } from "../config/env.ts";
import { Fields } from "../config/fields.ts";
import type { ConfigPath, Report } from "../config/issue.ts";
import { checkSettings } from "../config/schema-issues.ts";
import type { CompiledAuthenticator } from "../contract/compiled/config.ts";
import { authenticatorSchema } from "./schema/auth.ts";

/** As names of backends; it is also the first part of a consumer's id, which `:` ends. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const RESERVED = ["none", "optional"];

type Kind = keyof typeof AUTHENTICATOR_SCHEMAS;

interface KindSchema {
  compile(input: unknown, place: ConfigPath, fields: Fields): unknown;
  /** Whether what it keeps must be shared by instances and outlive them. */
  needsStore?(options: unknown): boolean;
}

export function compileAuthenticators(
  inputs: Readonly<Record<string, unknown>>,
  report: Report,
  redis: RedisOnVercel | undefined,
): CompiledAuthenticator[] {
  const compiled = Object.entries(inputs).flatMap(([name, input]) => {
    const place = ["auth", name];
    if (!NAME.test(name) || RESERVED.includes(name))
      report.error(
        "name-grammar",
        place,
        `"${name}" is no name for an authenticator: letters, digits, - and _, beginning with a letter, and neither "none" nor "optional".`,
      );
    return compileAuthenticator(name, input, place, report, redis) ?? [];
  });
  reportSamePrefixes(compiled, report);
  return compiled;
}

/** Keys of the store open every authenticator of their prefix; in one place, a wrong key of one is refused by the other. */
function reportSamePrefixes(authenticators: readonly CompiledAuthenticator[], report: Report): void {
  const seen: { readonly name: string; readonly options: ApiKeyOptions }[] = [];
  for (const { name, options } of authenticators.filter((each) => isOfKind("apiKey", each))) {
    const sources = new Set(options.sources.map((source) => JSON.stringify(source)));
    const other = seen.find(
      (one) =>
        one.options.prefix === options.prefix &&
        ((one.options.keys === null && options.keys === null) ||
          one.options.sources.some((source) => sources.has(JSON.stringify(source)))),
    );
    if (other)
      report.warn(
        "same-prefix",
        ["auth", name, "apiKey"],
        `"${other.name}" takes keys that begin with "${options.prefix}_", too: they can't be told apart.`,
        "Give each a `prefix` of its own.",
      );
    seen.push({ name, options });
  }
}

function compileAuthenticator(
  name: string,
  input: unknown,
  place: ConfigPath,
  report: Report,
  redis: RedisOnVercel | undefined,
): CompiledAuthenticator | undefined {
  const kinds = Object.keys(AUTHENTICATOR_SCHEMAS) as Kind[];
  const checked = checkSettings(authenticatorSchema, input, place, report, `{ ${kinds.join(" }, { ")} }`);
  if (!checked) return undefined;
  const given = kinds.filter((kind) => checked.settings[kind] !== undefined || checked.broken.has(kind));
  const [kind, another] = given;
  if (another)
    report.error(
      "one-kind",
      place,
      `${given.map((each) => `\`${each}\``).join(" and ")} exclude each other.`,
      "Give each a name of its own.",
    );
  // A kind that is not built has been reported already.
  else if (!kind && Object.keys(input as object).length === 0)
    report.error("one-kind", place, "it is of no kind.", `Write ${kinds.map((each) => `\`${each}\``).join(" or ")}.`);
  const settings = kind && checked.settings[kind];
  if (!kind || !settings) return undefined;
  const { compile, needsStore } = AUTHENTICATOR_SCHEMAS[kind] as KindSchema;
  const options = compile(settings, [...place, kind], new Fields(report));
  if (redis !== undefined && redis !== "set" && needsStore?.(options))
    report[redis === "absent" ? "warn" : "error"](
      "needs-redis",
      [...place, kind],
      "there is no Redis here, and without one each instance on Vercel would have a memory of its own, which ends with it.",
      "Add Upstash Redis to the project, or set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN.",
    );
  return { name, kind, options };
}
