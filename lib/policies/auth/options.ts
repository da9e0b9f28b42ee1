/** `auth`: who may call. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { didYouMean } from "../../config/nearest.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { asList, oneOf, strict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets. */
export interface AuthOptions {
  /** Names of authenticators. */
  readonly accept: readonly string[];
  /** Whether one of them suffices. */
  readonly need: "any" | "all";
  /** Callers without credentials are let through, unknown; wrong credentials are refused all the same. */
  readonly optional: boolean;
}

const names = z.array(z.string()).min(1);

const setting = oneOf('the name of an authenticator, a list of them, { allOf }, { optional } or "none"', [
  z.string(),
  names,
  strict("auth.optional", {
    optional: oneOf("the name of an authenticator, or a list of them", [z.string(), names]).describe(
      "Callers without credentials pass, unknown; wrong credentials are refused all the same",
    ),
  }),
  strict("auth.allOf", { allOf: names.describe("Credentials for every one of these; the consumer is that of the first") }),
]);

export const authSchema = {
  setting: setting.describe(
    'Who may call; it must be said for every route, here or in `defaults`: names of authenticators, any one of which suffices; `{ allOf }`; `{ optional }`; or "none" for everyone',
  ),
  /** Undefined for "none", and where something is wrong that has been reported. */
  compile(value: z.output<typeof setting>, place: ConfigPath, fields: Fields): AuthOptions | undefined {
    const { report, names } = fields;
    const accept = acceptedIn(value);
    if (accept.includes("none") && accept.length > 1)
      report.error(
        "auth-none-alone",
        place,
        '"none" lets everyone in, so that the other names would mean nothing.',
        "Leave one of them out.",
      );
    const others = [...new Set(accept)].filter((name) => name !== "none");
    for (const name of others.filter((each) => !names.authenticators.includes(each))) {
      const listed = names.authenticators.join(", ");
      const fix =
        didYouMean(name, ["none", ...names.authenticators]) ??
        (listed === "" ? "There are none: write `auth` at the top level." : `There are ${listed}.`);
      report.error("unknown-authenticator", place, `there is no authenticator called "${name}".`, fix);
    }
    if (others.length === 0) return undefined;
    const isObject = typeof value === "object" && !Array.isArray(value);
    return {
      accept: others,
      need: isObject && "allOf" in value ? "all" : "any",
      optional: isObject && "optional" in value,
    };
  },
} satisfies KeySchema;

function acceptedIn(value: z.output<typeof setting>): readonly string[] {
  if (typeof value === "string" || Array.isArray(value)) return asList<string>(value);
  return "allOf" in value ? value.allOf : asList<string>(value.optional);
}
