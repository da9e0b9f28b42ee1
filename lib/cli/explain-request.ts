/** The request that `frontdesk explain` is asked about, as a host would have received it. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import type { GatewayRequest } from "../contract/request.ts";
import { HeaderList } from "../http/header-list.ts";
import { canonicalIp } from "../http/ip.ts";
import { type Call, UsageError } from "./command.ts";
import { readGeo } from "./geo-flag.ts";
import { readHeader } from "./header-flag.ts";

export function readExplainRequest(call: Call): GatewayRequest {
  const { method, target } = readRequestLine(call.operands.join(" ").trim());
  const pairs = call.all("header").flatMap(readHeader);
  const given = new HeaderList(pairs);
  const host = call.one("host") ?? given.get("host") ?? "localhost";
  given.delete("host");
  const headers = new HeaderList(["Host", host, ...given.pairs]);
  const body = readBody(call);
  if (body && !headers.has("content-length") && !headers.has("transfer-encoding"))
    headers.append("Content-Length", String(body.length));
  return {
    method,
    target,
    scheme: /^https:/i.test(target) ? "https" : "http",
    host,
    httpVersion: "1.1",
    headers,
    body: body ? Readable.from([body]) : null,
    client: { ip: readIp(call.one("ip") ?? "127.0.0.1"), geo: readGeo(call) },
  };
}

function readRequestLine(text: string): { method: string; target: string } {
  // RFC 9112 section 3.2: a target is a path, a whole URL, or `*`. `explain orders` has forgotten the slash.
  const [, method = "GET", target] = /^(?:([!#$%&'*+.^_`|~\w-]+)\s+)?(\/\S*|https?:\/\/\S+|\*)$/i.exec(text) ?? [];
  if (target === undefined) {
    const wrong = text === "" ? "it needs a request" : `${JSON.stringify(text)} is not a request`;
    throw new UsageError(`${wrong}: frontdesk explain "GET /path?query".`);
  }
  return { method: method.toUpperCase(), target };
}

function readIp(text: string): string {
  const ip = canonicalIp(text);
  if (ip === undefined) throw new UsageError(`--ip ${JSON.stringify(text)} is not an IP address.`);
  return ip;
}

function readBody({ cwd, one }: Call): Buffer | undefined {
  const text = one("body");
  if (!text?.startsWith("@")) return text === undefined || text === "" ? undefined : Buffer.from(text);
  try {
    return readFileSync(resolve(cwd, text.slice(1)));
  } catch (error) {
    throw new UsageError(`--body ${text} can't be read: ${(error as Error).message}.`);
  }
}
