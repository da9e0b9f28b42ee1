/** `frontdesk tokens`: JWTs that were stolen or whose users are gone, taken back before they end. */
import type { Json } from "../contract/json.ts";
import { given, pageOf, pageQuery, shown } from "./admin-answer.ts";
import { type AdminClient, CLIENT_FLAGS, LIST_FLAGS, openAdminClient } from "./admin-client.ts";
import { type Call, type Command, type Result, UsageError } from "./command.ts";
import { printable } from "./page.ts";

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
    ...LIST_FLAGS,
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
    const client = await openAdminClient(call);
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
    return shown(undone, call, () => `${id} is undone`, client.where);
  }
  if (action === "list") return shown(await client.send("GET", `revocations${pageQuery(call, "authenticator")}`), call, listText);
  const wanted = given(call, { authenticator: "authenticator", jti: "jti", sub: "sub", expires: "expiresAt", note: "note" });
  return shown(
    await client.send("POST", "revocations", wanted),
    call,
    (body) => `${nameOf(body)} is revoked: ${body.id}`,
    client.where,
  );
}

function nameOf({ jti, sub }: Readonly<Record<string, Json>>): string {
  return printable(jti === undefined ? `sub ${sub}` : `jti ${jti}`);
}

function listText(body: Readonly<Record<string, Json>>): string {
  const head = ["ID", "AUTHENTICATOR", "TOKENS", "REVOKED", "UNTIL", "NOTE"];
  return pageOf(body, head, "no tokens are revoked", (item) => [
    ...[item.id, item.authenticator].map(String),
    nameOf(item),
    ...[item.revokedAt, item.until].map(String),
    printable(String(item.note ?? "")),
  ]);
}
