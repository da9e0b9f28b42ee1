/** `maintenance`: answers 503 while the service is worked on. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { headerNames } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { readPathPattern } from "../../config/path-pattern.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { asList, duration, flag, oneOf, oneOrMore, ownMode, strict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets. */
export interface MaintenanceOptions {
  readonly on: boolean;
  readonly retryAfterSeconds: number;
  /** Null: a problem document. */
  readonly body: string | null;
  /** Shapes of paths, as in path-pattern.ts. */
  readonly except: readonly (readonly string[])[];
  /** Any one of these lets a request through. */
  readonly allow: {
    readonly ips: readonly (readonly string[])[];
    readonly headers: readonly (readonly [name: string, value: string])[];
  };
}

const full = strict("maintenance", {
  on: flag
    .optional()
    .describe(
      "Whether it is on whatever `frontdesk maintenance` says; false by default. May be a reference that holds `on` or `off`",
    ),
  retryAfter: duration.optional().describe("When callers shall try again: `5m` by default"),
  body: z.string().optional().describe("Sent in place of the problem document, as HTML where it begins with `<`"),
  except: oneOrMore("a path or a list of paths", z.string())
    .optional()
    .describe("Paths that go on being served, written as those of routes: `/api/hooks/*`"),
  allow: strict("maintenance.allow", {
    ips: oneOrMore("an address or range, or a list of them", z.string())
      .optional()
      .describe("From these addresses and CIDR ranges"),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe("With one of these fields. They are not sent on to the backend"),
  })
    .optional()
    .describe("Who is served all the same: `{ ips, headers }`, any one of which suffices"),
  mode: ownMode,
});
const setting = oneOf("true or { on, retryAfter, body, except, allow }", [z.literal(true), full]);

export const maintenanceSchema = {
  setting: setting.describe(
    "503 while the service is worked on: `true`, or `{ on, retryAfter, body, except, allow }`. Where it is said, `frontdesk maintenance on` switches it too, within 5 s",
  ),
  expects: "true, { on, retryAfter, body, except, allow }",
  restricts: true,
  isPublic: true,
  compile(input: z.output<typeof setting>, place: ConfigPath, fields: Fields): MaintenanceOptions {
    const { on = input === true, retryAfter = "5m", body, except, allow = {} } = input === true ? {} : input;
    const at = [...place, "allow"];
    return {
      on: fields.value(on, [...place, "on"], "boolean") ?? false,
      retryAfterSeconds: fields.value(retryAfter, [...place, "retryAfter"], "seconds") ?? 300,
      body: body === undefined ? null : (fields.value(body, [...place, "body"], "string") ?? null),
      except: shapesOf(except, [...place, "except"], fields),
      allow: {
        ips: fields.list(allow.ips, [...at, "ips"], "ranges"),
        headers: headersOf(allow.headers ?? {}, [...at, "headers"], fields),
      },
    };
  },
} satisfies KeySchema;

function shapesOf(input: string | readonly string[] | undefined, place: ConfigPath, fields: Fields): (readonly string[])[] {
  return asList(input).flatMap((path, index) => {
    const at = Array.isArray(input) ? [...place, index] : place;
    const plain = fields.plain(path, at);
    if (plain === undefined) return [];
    const pattern = readPathPattern(plain);
    if (typeof pattern !== "string") return [pattern.shape];
    fields.report.error("path-grammar", at, `${JSON.stringify(path)} is not a path: ${pattern}.`);
    return [];
  });
}

function headersOf(input: Readonly<Record<string, string>>, place: ConfigPath, fields: Fields): [string, string][] {
  return headerNames(Object.keys(input), "request", (key) => [...place, key], fields).flatMap(
    ([name, key]): [string, string][] => {
      const value = fields.value(input[key]!, [...place, key], "header");
      return value === undefined ? [] : [[name, value]];
    },
  );
}
