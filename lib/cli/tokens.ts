/** `frontdesk tokens`: JWTs that were stolen or whose users are gone, taken back before they end. */
import { readEnvironment } from "../config/env.ts";
import type { Json } from "../exchange.ts";
import { type AdminClient, type Answer, CLIENT_FLAGS, openAdminClient } from "./admin-client.ts";
import { type Call, type Command, OK, type Result, UsageError, WRONG } from "./command.ts";
import { columns, printable } from "./page.ts";

const ACTIONS = ["revoke", "list", "undo"] as const;

export const tokens: Command = {
  name: "tokens",
  summary: "takes JWTs back before they end, one or all of a subject",
  operands: `${ACTIONS.join("|")} [id]`,
  maxOperands: 2,
  flags: {
    jti: { type: "string", value: "id", help: "revoke: the token with this `jti`" },
    sub: { type: "string", value: "subject", help: "revoke: all tokens of this `sub` that were issued until now" },
    expires: {
      type: "string",
      value: "time",
      help: "revoke --jti: when the token ends (RFC 3339); `maxLife` from now otherwise",
    },
    note: { type: "string", value: "text", help: "revoke: why" },
    authenticator: { type: "string", value: "name", help: "whose tokens, where the config has several; list: theirs alone" },
    ...CLIENT_FLAGS,
  },
  details:
    "For authenticators of kind jwt with `revocation`. Without --url and GATEWAY_URL it works on the stores of this environment: Redis\n" +
    "where it is set, else the data folder of a Node host on this machine. It bites within 5 s on every instance.",
  async run(call) {
    const [action, id] = call.operands;
    if (!ACTIONS.some((known) => known === action))
      throw new UsageError(`it takes ${ACTIONS.join(", ")}${action === undefined ? "." : `, not ${JSON.stringify(action)}.`}`);
    if ((action === "undo") !== (id !== undefined))
      throw new UsageError(
        id === undefined ? "undo needs the id of a revocation: `frontdesk tokens list` has it." : `${action} takes no id.`,
      );
    const client = await openAdminClient(call.cwd, readEnvironment(call.cwd), { url: call.one("url"), file: call.one("config") });
    try {
      return await act(action!, id, call, client);
    } finally {
      await client.close();
    }
  },
};

async function act(action: string, id: string | undefined, call: Call, client: AdminClient): Promise<Result> {
  if (action === "undo") {
    const undone = await client.send("DELETE", `revocations/${encodeURIComponent(id!)}`);
    return said(undone, call, () => `${id} is undone`);
  }
  if (action === "list") return said(await client.send("GET", `revocations${queryIn(call)}`), call, pageOf);
  const wanted = given(call, { authenticator: "authenticator", jti: "jti", sub: "sub", expires: "expiresAt", note: "note" });
  return said(await client.send("POST", "revocations", wanted), call, (body) => `${nameOf(body)} is revoked: ${body.id}`);
}

function said(answer: Answer, call: Call, text: (body: Readonly<Record<string, Json>>) => string): Result {
  if ("fault" in answer) return { code: WRONG, err: answer.fault };
  return { code: OK, out: call.has("json") ? JSON.stringify(answer.body) : text(answer.body) };
}

/** Values of flags, by their names in the API. */
function given(call: Call, names: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(names).map(([flag, name]) => [name, call.one(flag)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function queryIn(call: Call): string {
  const query = new URLSearchParams(given(call, { limit: "limit", cursor: "cursor", authenticator: "authenticator" }));
  return query.size === 0 ? "" : `?${query}`;
}

function nameOf({ jti, sub }: Readonly<Record<string, Json>>): string {
  return printable(jti === undefined ? `sub ${sub}` : `jti ${jti}`);
}

function pageOf({ items, next }: Readonly<Record<string, Json>>): string {
  const listed = items as readonly Readonly<Record<string, Json>>[];
  if (listed.length === 0) return "no tokens are revoked";
  const rows = listed.map((item) => [
    ...[item.id, item.authenticator].map(String),
    nameOf(item),
    ...[item.revokedAt, item.until].map(String),
    printable(String(item.note ?? "")),
  ]);
  const table = columns([["ID", "AUTHENTICATOR", "TOKENS", "REVOKED", "UNTIL", "NOTE"], ...rows], "");
  return next === null ? table : `${table}\nmore: --cursor ${next}`;
}
