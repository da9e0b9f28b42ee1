/** What the admin API takes and gives for API keys, as JSON Schema. */

import { CURSOR, LIMIT, NEXT } from "./audit.ts";
import { WARNING_SCHEMA } from "./held-revocations.ts";
import type { JsonSchema } from "./json-schema.ts";

const text = (description: string, maxLength = 200): JsonSchema => ({ type: "string", description, minLength: 1, maxLength });
const time = (description: string): JsonSchema => ({ type: "string", format: "date-time", description });
const duration = (description: string): JsonSchema => ({
  type: "string",
  description: `${description}: \`30m\`, \`12h\`, \`7d\``,
  pattern: "^\\d{1,6}(?:\\.\\d{1,3})?(?:ms|s|m|h|d)$",
});
const list = (description: string, item: JsonSchema): JsonSchema => ({ type: "array", description, items: item, maxItems: 100 });
/** In a change, null takes a setting away (RFC 7396). */
const removable = (schema: JsonSchema): JsonSchema => ({ ...schema, type: [schema.type as "string", "null"] });

const NAME = text("For people: what the key is for");
const CONSUMER = text("Who calls with it; the consumer is `<authenticator>:<this>`");
const SETTINGS = {
  owner: text("Who is responsible for it"),
  // RFC 6749 section 3.3.
  scopes: list("What it may do", { type: "string", pattern: "^[!#-\\[\\]-~]{1,100}$" }),
  tier: text("The consumer's tier"),
  metadata: { type: "object", description: "Claims of the consumer beside `sub`, 4 KB at most" },
  ips: list("It is taken from these addresses and CIDR ranges alone", text("Address or range", 50)),
  routes: list("It is good for these routes alone: their paths as they stand in the config", text("Path or id of a route", 500)),
  expiresAt: time("From then on it is refused"),
} as const satisfies Record<string, JsonSchema>;

export const CREATE: JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name", "consumer"],
  properties: {
    name: NAME,
    consumer: CONSUMER,
    ...SETTINGS,
    authenticator: text("Whose prefix it gets; needed where the config has several for keys in the store"),
  },
};

export const UPDATE: JsonSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: NAME,
    ...Object.fromEntries(Object.entries(SETTINGS).map(([key, schema]) => [key, removable(schema)])),
  },
};

export const ROTATE: JsonSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    overlap: { ...duration("How long the old key goes on working"), default: "7d" },
    quiet: duration("It ends earlier, once it was not used for so long (5 minutes or more)"),
    expiresAt: time("When the new key ends; otherwise it lives for as long as the old one was to"),
  },
};

export const KEY: JsonSchema = {
  type: "object",
  required: ["id", "name", "hint", "status", "consumer", "createdAt"],
  properties: {
    id: { type: "string" },
    name: NAME,
    hint: { type: "string", description: "How the key begins" },
    status: { type: "string", enum: ["active", "retiring", "disabled", "expired", "retired", "revoked"] },
    consumer: CONSUMER,
    ...SETTINGS,
    createdAt: time("When it was made"),
    lastUsedAt: time("When it was last used, within a minute or two"),
    revokedAt: time("When it was revoked, for good"),
    rotation: {
      type: "object",
      description: "Its successor exists, and it ends at `sunsetAt`, or once it was quiet for `quietSeconds`",
      required: ["successor", "rotatedAt", "sunsetAt"],
      properties: {
        successor: { type: "string" },
        rotatedAt: time("When its successor was made"),
        sunsetAt: time("When it ends"),
        quietSeconds: { type: "integer" },
      },
    },
  },
};

export const REVOKED_KEY: JsonSchema = { ...KEY, properties: { ...KEY.properties, warning: WARNING_SCHEMA } };

export const NEW_KEY: JsonSchema = {
  ...KEY,
  required: [...KEY.required!, "key"],
  properties: { ...KEY.properties, key: { type: "string", description: "The key itself: shown now, and never again" } },
};

export const KEY_PAGE: JsonSchema = {
  type: "object",
  required: ["items", "next"],
  properties: { items: { type: "array", items: KEY }, next: NEXT },
};

export const KEY_QUERY: Readonly<Record<string, JsonSchema>> = {
  limit: LIMIT,
  cursor: { ...CURSOR, pattern: "^\\d{15}:[\\w-]{1,60}$" },
  consumer: text("Those of one consumer"),
};
