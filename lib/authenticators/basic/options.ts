/** `basic`: a name and a password in `Authorization` (RFC 7617). */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { oneOf, oneOrMore, strict } from "../../config/schema-fields.ts";

export interface BasicOptions {
  readonly realm: string;
  readonly users: readonly BasicUser[];
}

export interface BasicUser {
  readonly name: string;
  /** One of them is null. */
  readonly password: string | null;
  readonly passwordHash: string | null;
  readonly scopes: readonly string[];
  readonly tier: string | null;
}

const user = oneOf("a password by reference, or { password or passwordHash, scopes, tier }", [
  z.string(),
  strict("basic.user", {
    password: z.string().optional().describe('By reference: `env("ADA_PASSWORD")`'),
    passwordHash: z
      .string()
      .optional()
      .describe("Instead: its scrypt hash, as `frontdesk basic hash` prints it. It may stand in the config, or be a reference"),
    scopes: oneOrMore("a scope, or a list of them", z.string()).optional().describe("What this user may do"),
    tier: z.string().optional().describe("The user's tier"),
  }),
]);

const setting = strict("basic", {
  users: z
    .record(z.string(), user)
    .describe("By name: a password by reference, or `{ password, scopes, tier }`, or `{ passwordHash, scopes, tier }`"),
  realm: z.string().optional().describe('What a browser shows when it asks: "frontdesk" by default'),
});

export const basicSchema = {
  setting: setting.describe("A name and a password in `Authorization` (RFC 7617): for tools and people behind TLS"),
  compile({ users, realm = "frontdesk" }: z.output<typeof setting>, place: ConfigPath, fields: Fields): BasicOptions {
    if (Object.keys(users).length === 0) fields.report.error("wrong-value", [...place, "users"], "expected at least one user.");
    if (!/^[\x20-\x7e]*$/.test(realm) || /["\\]/.test(realm))
      fields.report.error("value-format", [...place, "realm"], "expected text without quotes and backslashes.");
    return {
      realm,
      users: Object.entries(users).map(([name, given]) => compileUser(name, given, [...place, "users", name], fields)),
    };
  },
};

function compileUser(name: string, given: z.output<typeof user>, place: ConfigPath, fields: Fields): BasicUser {
  // The first colon ends the name (RFC 7617 section 2).
  if (name === "" || name.includes(":"))
    fields.report.error("name-grammar", place, `${JSON.stringify(name)} can't be sent as a name: it is empty or holds ":".`);
  const user: Exclude<typeof given, string> = typeof given === "string" ? { password: given } : given;
  const { password, passwordHash, scopes = [], tier = null } = user;
  if (password === undefined && passwordHash === undefined)
    fields.report.error("missing-key", place, "`password` is missing, or `passwordHash`.");
  if (password !== undefined && passwordHash !== undefined)
    fields.report.error("said-twice", place, "`password` and `passwordHash` exclude each other.");
  return {
    name,
    password:
      password === undefined
        ? null
        : compilePassword(password, typeof given === "string" ? place : [...place, "password"], fields),
    passwordHash:
      passwordHash === undefined ? null : (fields.value(passwordHash, [...place, "passwordHash"], "passwordHash") ?? ""),
    scopes: fields.list(scopes, [...place, "scopes"], "string"),
    tier,
  };
}

function compilePassword(password: string, place: ConfigPath, fields: Fields): string {
  if (!password.includes("${env."))
    fields.report.error(
      "secret-in-config",
      place,
      "a password stands in the config itself.",
      'Write env("NAME") and keep it in the environment, or its hash as `passwordHash`.',
    );
  return fields.value(password, place, "secret") ?? "";
}
