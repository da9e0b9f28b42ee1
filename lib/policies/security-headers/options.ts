/** `securityHeaders`: the fields that tell browsers to be careful. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { flag, oneOf, strict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets. */
export interface SecurityHeadersOptions {
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Whether the backend's own fields of these names are replaced. */
  readonly override: boolean;
}

/** Each key with its field, and what is sent unless the config says otherwise (why: README.md); null for nothing. */
const PRESET = {
  contentSecurityPolicy: ["content-security-policy", "base-uri 'self'; frame-ancestors 'self'; object-src 'none'"],
  crossOriginOpenerPolicy: ["cross-origin-opener-policy", "same-origin-allow-popups"],
  crossOriginResourcePolicy: ["cross-origin-resource-policy", "same-site"],
  originAgentCluster: ["origin-agent-cluster", "?1"],
  referrerPolicy: ["referrer-policy", "strict-origin-when-cross-origin"],
  strictTransportSecurity: ["strict-transport-security", "max-age=31536000; includeSubDomains"],
  xContentTypeOptions: ["x-content-type-options", "nosniff"],
  xFrameOptions: ["x-frame-options", "SAMEORIGIN"],
  crossOriginEmbedderPolicy: ["cross-origin-embedder-policy", null],
  permissionsPolicy: ["permissions-policy", null],
} as const;
type Key = keyof typeof PRESET;
const KEYS = Object.keys(PRESET) as Key[];

const value = (key: Key) => {
  const [name, standard] = PRESET[key];
  return oneOf("a text or false", [z.string(), z.literal(false)])
    .optional()
    .describe(`\`${name}\`: ${standard === null ? "not sent by default" : `\`${standard}\``}`);
};

const full = strict("securityHeaders", {
  ...(Object.fromEntries(KEYS.map((key) => [key, value(key)])) as Record<Key, ReturnType<typeof value>>),
  override: flag.optional().describe("Whether the backend's own fields of these names are replaced; false by default"),
});
const setting = oneOf("true or an object", [z.literal(true), full]);

export const securityHeadersSchema = {
  setting: setting.describe(
    "Fields that tell browsers to be careful, where the backend does not say otherwise: `true` for the preset, or an object that changes it key by key (`false` leaves one out)",
  ),
  expects: "true, an object",
  isPublic: true,
  compile(input: z.output<typeof setting>, place: ConfigPath, fields: Fields): SecurityHeadersOptions {
    const given = input === true ? {} : input;
    return {
      fields: KEYS.flatMap((key): [string, string][] => {
        const [name, standard] = PRESET[key];
        const text = given[key] ?? standard;
        if (text === null || text === false) return [];
        const read = fields.value(text, [...place, key], "header");
        return read === undefined ? [] : [[name, read]];
      }),
      override: fields.value(given.override ?? false, [...place, "override"], "boolean") ?? false,
    };
  },
  unrouted: (options: SecurityHeadersOptions) => options,
} satisfies KeySchema;
