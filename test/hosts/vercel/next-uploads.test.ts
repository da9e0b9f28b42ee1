/** Under `next start` uploads are held in memory: how much at once, and what becomes of those for which there is no room. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getCloneableBody } from "next/dist/server/body-streams.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HELD_UPLOAD_BYTES, UPLOAD_FIELD, watchUploads } from "#lib/hosts/vercel/next-uploads.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { type HostProcess, startHost, temporaryFolder } from "../../support/host-process.ts";
import { RawConnection, requestBytes, sendRaw } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

const MB = 1024 * 1024;

describe("beside what Next does with a body", () => {
  const uploads = watchUploads(4 * MB);
  let arrived: (request: IncomingMessage) => Promise<void>;
  const server = createServer((request, response) => void arrived(request).then(() => response.end()));
  let url: string;
  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const named = (request: IncomingMessage) =>
    new Headers(Object.entries(request.headers).filter((field): field is [string, string] => typeof field[1] === "string"));

  /** What Next has kept of an upload of a megabyte once it has ended, `act` being what the middleware does. */
  async function keptBytes(act: (headers: Headers) => void, headers: Record<string, string> = {}): Promise<number> {
    let kept = -1;
    arrived = async (request) => {
      const body = getCloneableBody(request as never, 8 * MB);
      body.cloneBodyStream();
      act(named(request));
      await body.finalize();
      kept = request.readableLength;
    };
    const sent = httpRequest(url, { method: "PUT", headers: { "content-length": MB, ...headers } });
    sent.end(Buffer.alloc(MB));
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    await once(answer.resume(), "end");
    return kept;
  }

  test("an upload that goes on is kept whole", async () => {
    expect(await keptBytes((headers) => expect(uploads.hold(headers)).toBe(true))).toBe(MB);
  });

  test("a refused one is not kept", async () => {
    const act = (headers: Headers) => {
      expect(uploads.hold(headers)).toBe(true);
      uploads.letGo(headers);
    };
    expect(await keptBytes(act)).toBe(0);
  });

  test("nor is one for which there is no room, and its client can't speak of another's", async () => {
    const holders: Headers[] = [];
    const others = watchUploads(HELD_UPLOAD_BYTES - MB);
    const connections = await Promise.all(
      [0, 1].map(async () => {
        const connection = await RawConnection.open((server.address() as AddressInfo).port);
        arrived = (request) => {
          holders.push(named(request));
          return new Promise(() => {});
        };
        connection.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        return connection;
      }),
    );
    await until(() => holders.length === 2, "two uploads");
    expect(others.hold(holders[0]!)).toBe(true);
    const forged = { [UPLOAD_FIELD]: holders[0]!.get(UPLOAD_FIELD)! };
    expect(await keptBytes((headers) => expect(others.hold(headers)).toBe(false), forged)).toBe(0);
    connections[0]!.close();
    await until(() => others.hold(holders[1]!), "room for the second");
    connections[1]!.close();
  });
});

describe("under next start", () => {
  let backend: Backend;
  let host: HostProcess;
  beforeAll(async () => {
    backend = await startBackend();
    const config = join(temporaryFolder(), "gateway.config.json");
    const route = { path: "/*", backend: "all", auth: "none", cors: "https://shop.example" };
    writeFileSync(config, JSON.stringify({ backends: { all: backend.url }, routes: [route] }));
    host = await startHost("vercel", { config });
  });
  afterAll(async () => {
    await host?.stop();
    backend?.close();
  });

  const upload = () =>
    sendRaw(host.port, { method: "PUT", target: "/a", headers: ["Origin", "https://shop.example"], body: Buffer.alloc(4 * MB) });

  test("what is more than 64 MB at once is refused, and passes when there is room again", async () => {
    expect((await upload()).status).toBe(200);
    const held = await Promise.all(Array.from({ length: HELD_UPLOAD_BYTES / (4 * MB) }, () => RawConnection.open(host.port)));
    for (const connection of held) {
      const head = requestBytes({ method: "PUT", target: "/b", headers: ["Content-Length", String(4 * MB)] });
      connection.write(head);
    }
    const refused = await until(async () => {
      const answer = await upload();
      return answer.status === 503 ? answer : undefined;
    }, "the bound to be reached");
    expect(refused.headers.get("x-gateway-error")).toBe("overloaded");
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    expect((await sendRaw(host.port, { target: "/c" })).status).toBe(200);
    for (const connection of held) connection.close();
    await until(async () => (await upload()).status === 200, "room for an upload");
  });
});
