/** `frontdesk keys`: API keys, made and taken back. A new key is the whole of the standard output, so that it can be piped. */
import { randomBytes } from "node:crypto";
import { KeyFormat } from "../authenticators/api-key/key-format.ts";
import { readEnvironment } from "../config/env.ts";
import { parseDurationMs } from "../config/units.ts";
import type { Json } from "../contract/json.ts";
import { pageOf, pageQuery, shown } from "./admin-answer.ts";
import { type AdminClient, type Answer, CLIENT_FLAGS, compiledConfig, LIST_FLAGS, openAdminClient } from "./admin-client.ts";
import { type Call, type Command, OK, type Result, UsageError, WRONG } from "./command.ts";
import { columns, printable } from "./page.ts";

const ACTIONS = ["create", "list", "show", "rotate", "disable", "enable", "revoke"] as const;
type Action = (typeof ACTIONS)[number];

export const keys: Command = {
  name: "keys",
  summary: "makes, lists, replaces and revokes API keys",
  operands: `${ACTIONS.join("|")} [id]`,
  maxOperands: 2,
  flags: {
    name: { type: "string", value: "text", help: "create: what the key is for" },
    consumer: { type: "string", value: "name", help: "create: who calls with it; list: theirs alone" },
    owner: { type: "string", value: "name", help: "create: who is responsible for it" },
    scope: { type: "string", value: "scope", multiple: true, help: "create: what it may do" },
    tier: { type: "string", value: "tier", help: "create: the consumer's tier" },
    metadata: { type: "string", value: "json", help: "create: claims of the consumer" },
    ip: { type: "string", value: "range", multiple: true, help: "create: it is taken from there alone" },
    route: { type: "string", value: "path", multiple: true, help: "create: it is good for this route alone" },
    expires: { type: "string", value: "90d|date", help: "create, rotate: from then on it is refused" },
    authenticator: { type: "string", value: "name", help: "create: whose prefix it gets, where the config has several" },
    static: { type: "boolean", help: "create: for `digests` in the config; no store is touched" },
    overlap: { type: "string", value: "7d", help: "rotate: how long the old key goes on working" },
    quiet: { type: "string", value: "1d", help: "rotate: it ends earlier, once it was not used for so long" },
    ...LIST_FLAGS,
    ...CLIENT_FLAGS,
  },
  details:
    "Without --url and GATEWAY_URL it works on the stores of this environment: Redis where it is set, else the data folder of a Node\n" +
    "host on this machine. A new key is printed once, alone on the standard output: frontdesk keys create … | vercel env add …",
  async run(call) {
    const [action, id, ...more] = call.operands;
    if (!isAction(action))
      throw new UsageError(`it takes ${ACTIONS.join(", ")}${action === undefined ? "." : `, not ${JSON.stringify(action)}.`}`);
    if ((action === "create" || action === "list") !== (id === undefined) || more.length > 0)
      throw new UsageError(
        id === undefined ? `${action} needs the id of a key: \`frontdesk keys list\` has it.` : `${action} takes no id.`,
      );
    if (call.has("static")) return drawStatic(call);
    const client = await openAdminClient(call);
    try {
      return await act(action, id === undefined ? "" : encodeURIComponent(id), call, client);
    } finally {
      await client.close();
    }
  },
};

function isAction(word: string | undefined): word is Action {
  return ACTIONS.some((action) => action === word);
}

async function act(action: Action, id: string, call: Call, client: AdminClient): Promise<Result> {
  switch (action) {
    case "create":
      return made(await client.send("POST", "keys", settingsIn(call)), call, client.where);
    case "rotate":
      return made(await client.send("POST", `keys/${id}/rotate`, rotationIn(call)), call, client.where);
    case "list":
      return shown(await client.send("GET", `keys${pageQuery(call, "consumer")}`), call, listText);
    case "show":
      return shown(await client.send("GET", `keys/${id}`), call, factsOf);
    default:
      return shown(
        await client.send("POST", `keys/${id}/${action}`),
        call,
        ({ id: key, status }) => `${key} is ${status}`,
        client.where,
      );
  }
}

/** The key alone on stdout; what else there is to say, on stderr. */
function made(answer: Answer, call: Call, where: string): Result {
  if ("fault" in answer) return { code: WRONG, err: answer.fault };
  const { key, ...facts } = answer.body;
  if (call.has("json")) return { code: OK, out: JSON.stringify(answer.body) };
  const once = `The key is shown this once: what is kept is its digest, in ${where}.`;
  return { code: OK, out: String(key), err: `${factsOf(facts)}\n${once}` };
}

function factsOf(key: Readonly<Record<string, Json>>): string {
  const rows = Object.entries(key).map(([name, value]) => [
    name,
    printable(typeof value === "string" ? value : JSON.stringify(value)),
  ]);
  return columns(rows, "");
}

function listText(body: Readonly<Record<string, Json>>): string {
  const day = (time: Json | undefined) => (typeof time === "string" ? time.slice(0, 10) : "never");
  const head = ["ID", "KEY", "STATUS", "CONSUMER", "NAME", "EXPIRES", "LAST USED"];
  return pageOf(body, head, "there are no keys", ({ id, hint, status, consumer, name, expiresAt, rotation, lastUsedAt }) =>
    [id, hint, status, consumer, name, day(endOf(expiresAt, rotation)), day(lastUsedAt)].map((cell) => printable(String(cell))),
  );
}

/** A key that has a successor ends at its sunset, if not before. Times of one form compare as texts. */
function endOf(expiresAt: Json | undefined, rotation: Json | undefined): Json | undefined {
  const sunsetAt = (rotation as { readonly sunsetAt: string } | null | undefined)?.sunsetAt;
  if (sunsetAt === undefined || typeof expiresAt !== "string") return sunsetAt ?? expiresAt;
  return sunsetAt < expiresAt ? sunsetAt : expiresAt;
}

function settingsIn(call: Call): Json {
  const metadata = call.one("metadata");
  return defined({
    ...Object.fromEntries(["name", "consumer", "owner", "tier", "authenticator"].map((flag) => [flag, call.one(flag)])),
    scopes: listIn(call, "scope"),
    ips: listIn(call, "ip"),
    routes: listIn(call, "route"),
    metadata: metadata === undefined ? undefined : parseMetadata(metadata),
    expiresAt: timeIn(call.one("expires")),
  });
}

function rotationIn(call: Call): Json {
  return defined({ overlap: call.one("overlap"), quiet: call.one("quiet"), expiresAt: timeIn(call.one("expires")) });
}

function defined(settings: Readonly<Record<string, Json | undefined>>): Json {
  return Object.fromEntries(Object.entries(settings).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

function listIn(call: Call, flag: string): readonly string[] | undefined {
  const given = call.all(flag).flatMap((text) => text.split(",").map((one) => one.trim()));
  return given.length === 0 ? undefined : given;
}

function parseMetadata(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new UsageError(`--metadata is not JSON: write '{"plan":"pro"}'.`);
  }
}

/** `90d` from now, a day, or a time. */
function timeIn(text: string | undefined): string | undefined {
  const ms = text === undefined ? undefined : parseDurationMs(text);
  if (ms !== undefined) return new Date(Date.now() + ms).toISOString();
  return text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
}

/** A key for `digests`: the key on stdout, the entry on stderr. */
async function drawStatic(call: Call): Promise<Result> {
  if (call.operands[0] !== "create") throw new UsageError("--static belongs to create.");
  const [name, consumer] = [call.one("name"), call.one("consumer")];
  if (name === undefined || consumer === undefined) throw new UsageError("--static needs --name and --consumer.");
  const { authenticators } = await compiledConfig(call.cwd, readEnvironment(call.cwd), call.one("config"));
  const wanted = call.one("authenticator");
  const maker = authenticators.find((one) => one.kind === "apiKey" && (wanted === undefined || one.name === wanted));
  if (wanted !== undefined && !maker) throw new UsageError(`there is no authenticator ${JSON.stringify(wanted)} for API keys.`);
  const { prefix } = (maker?.options ?? { prefix: "fd" }) as { readonly prefix: string };
  const { key, digest } = new KeyFormat(prefix).make((bytes) => new Uint8Array(randomBytes(bytes)));
  const entry = JSON.stringify({ name, digest, consumer, ...(listIn(call, "scope") ? { scopes: listIn(call, "scope") } : {}) });
  return {
    code: OK,
    out: call.has("json") ? JSON.stringify({ key, entry: JSON.parse(entry) }) : key,
    err: `for \`digests\`: ${entry}`,
  };
}
