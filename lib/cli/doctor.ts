/** `frontdesk doctor`: walks from the frontend to the gateway and its backends, and says what each saw, and what to mend. */
import { randomBytes } from "node:crypto";
import { doctorKey } from "../admin/doctor-pass.ts";
import { readEnvironment } from "../config/env.ts";
import { type Command, JSON_FLAG, OK, type Result, UsageError, WRONG } from "./command.ts";
import { ask, isStreamed, type Reply } from "./doctor-ask.ts";
import { type Finding, findingsOf } from "./doctor-findings.ts";
import { readHeader } from "./header-flag.ts";
import { bad, bold, good, labelled, odd, printable, quiet } from "./page.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "walks frontend → gateway → backends, and says what each sees and what to mend",
  operands: "<url>",
  maxOperands: 1,
  flags: {
    gateway: { type: "string", value: "url", help: "the gateway's own address: GATEWAY_URL by default" },
    header: { type: "string", multiple: true, value: "name: value", help: "a field that the frontend asks for" },
    json: JSON_FLAG,
  },
  details: [
    "The URL is one below which the frontend hands requests to the gateway: https://shop.example/api. Requests below it carry a proof of",
    "GATEWAY_ADMIN_TOKEN, not the token, and made-up credentials; the gateway answers them itself, on any path, and asks each backend once (HEAD).",
    "It ends with 1 where something is wrong.",
  ].join("\n"),
  async run(call) {
    const [address] = call.operands;
    if (address === undefined) throw new UsageError("it needs the frontend's URL: frontdesk doctor https://shop.example/api.");
    const { adminToken, url } = readEnvironment(call.cwd);
    if (adminToken === undefined)
      throw new UsageError(
        "GATEWAY_ADMIN_TOKEN is not set: the gateway answers its operator alone. The demo prints a command with the token that it has drawn.",
      );
    const key = doctorKey(adminToken);
    const extra = call.all("header").map(readHeader);
    const gateway = call.one("gateway") ?? url;
    const id = randomBytes(8).toString("hex");
    const [throughFrontend, direct] = await Promise.all([
      askThrough(readUrl(address, "the URL"), id, key, extra),
      gateway === undefined ? undefined : ask(readUrl(gateway, "--gateway"), id, key),
    ]);
    const findings = findingsOf({ throughFrontend, direct });
    return call.has("json") ? { code: codeOf(findings), out: JSON.stringify({ findings }, null, 2) } : page(findings);
  },
};

/** A second time, to see what was kept; and again while nothing came in parts, which may be this machine's stalling. */
const MAX_ASKED = 3;

async function askThrough(
  url: URL,
  id: string,
  key: Uint8Array,
  extra: readonly (readonly [string, string])[],
): Promise<[Reply, ...Reply[]]> {
  const replies: [Reply, ...Reply[]] = [await ask(url, id, key, extra)];
  const isSettled = () => replies.length >= 2 && replies.some((reply) => reply.kind === "heard" && isStreamed(reply));
  while (replies[0].kind === "heard" && replies.length < MAX_ASKED && !isSettled()) replies.push(await ask(url, id, key, extra));
  return replies;
}

function readUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new UsageError(`${what}: ${JSON.stringify(text)} is no http or https URL.`);
  return url;
}

function codeOf(findings: readonly Finding[]): Result["code"] {
  return findings.some(({ verdict }) => verdict === "bad") ? WRONG : OK;
}

const MARKS: Record<Finding["verdict"], string> = { good: good("✓"), odd: odd("!"), bad: bad("✗"), unknown: quiet("?") };

function page(findings: readonly Finding[]): Result {
  const hops = [...new Set(findings.map(({ hop }) => hop))];
  const sections = hops.map((hop) => {
    const own = findings.filter((finding) => finding.hop === hop);
    const lines = own.map(
      ({ what, saw, verdict, fix }) =>
        `  ${MARKS[verdict]} ${labelled(what, [printable(saw), fix && printable(fix)], 11).replaceAll("\n", "\n    ")}`,
    );
    return [bold(hop), ...lines].join("\n");
  });
  return { code: codeOf(findings), out: sections.join("\n\n") };
}
