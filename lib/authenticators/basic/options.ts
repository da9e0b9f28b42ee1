/** `basic`: a name and a password in `Authorization` (RFC 7617). */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { Place } from "../../config/issue.ts";
import { oneOf, oneOrMore, strict } from "../../config/schema-fields.ts";

export interface BasicOptions {
  readonly realm: string;
  readonly users: readonly BasicUser[];
}

export interface BasicUser {
  readonly name: string;
  readonly password: string;
  readonly scopes: readonly string[];
  readonly tier: string | null;
}

const user = oneOf("a password by reference, or { password, scopes, tier }", [
  z.string(),
  strict("basic.user", {
    password: z.string().describe('By reference: `env("ADA_PASSWORD")`'),
    scopes: oneOrMore("a scope, or a list of them", z.string()).optional().describe("What this user may do"),
    tier: z.string().optional().describe("The user's tier"),
  }),
]);

const setting = strict("basic", {
  users: z.record(z.string(), user).describe("By name: a password by reference, or `{ password, scopes, tier }`"),
  realm: z.string().optional().describe('What a browser shows when it asks: "frontdesk" by default'),
});

export const basicSchema = {
  setting: setting.describe("A name and a password in `Authorization` (RFC 7617): for tools and people behind TLS"),
  compile({ users, realm = "frontdesk" }: z.output<typeof setting>, place: Place, fields: Fields): BasicOptions {
    if (Object.keys(users).length === 0) fields.report.error("wrong-value", [...place, "users"], "expected at least one user.");
    if (!/^[\x20-\x7e]*$/.test(realm) || /["\\]/.test(realm))
      fields.report.error("value-format", [...place, "realm"], "expected text without quotes and backslashes.");
    return {
      realm,
      users: Object.entries(users).map(([name, given]) => compileUser(name, given, [...place, "users", name], fields)),
    };
  },
};

function compileUser(name: string, given: z.output<typeof user>, place: Place, fields: Fields): BasicUser {
  // The first colon ends the name (RFC 7617 section 2).
  if (name === "" || name.includes(":"))
    fields.report.error("name-grammar", place, `${JSON.stringify(name)} can't be sent as a name: it is empty or holds ":".`);
  const { password, scopes = [], tier = null } = typeof given === "string" ? { password: given } : given;
  const at = typeof given === "string" ? place : [...place, "password"];
  if (!password.includes("${env."))
    fields.report.error(
      "secret-in-config",
      at,
      "a password stands in the config itself.",
      'Write env("NAME") and keep it in the environment.',
    );
  return {
    name,
    password: fields.value(password, at, "secret") ?? "",
    scopes: fields.list(scopes, [...place, "scopes"], "string"),
    tier,
  };
}
