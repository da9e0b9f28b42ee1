/**
 * The load generator, a process of its own: keep-alive connections over bare sockets, one request at a time on each. It is told
 * a load by message and answers with one message; an answer that is not whole and right ends it, so that no bench measures errors.
 */
import { connect, type Socket } from "node:net";
import { ANSWER } from "./answer.ts";

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly requests: number;
  readonly connections: number;
  /** Credentials for `Authorization: Bearer`, one for each request in turn. */
  readonly tokens?: readonly string[];
}

/** What a browser's `fetch` sends to an API, more or less. */
function requestText({ port, path }: Load, token: string | undefined): string {
  const fields = [
    `Host: 127.0.0.1:${port}`,
    "Accept: application/json",
    "Accept-Encoding: gzip, br",
    "Accept-Language: en",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) bench",
    "Referer: https://shop.example/products",
    "Cookie: session=3f1d2c; theme=dark",
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
  ];
  return `GET ${path} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`;
}

/** Whether a whole answer has come. Chunked ones are taken as whole at the last chunk (RFC 9112 section 7.1). */
function isWhole(received: string): boolean {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1];
  return length === undefined ? received.endsWith("\r\n0\r\n\r\n") : received.length >= end + 4 + Number(length);
}

function run(load: Load): Promise<void> {
  // Put together before the clock runs.
  const texts = (load.tokens ?? [undefined]).map((token) => requestText(load, token));
  let left = load.requests;
  const sockets: Socket[] = [];
  const work = Array.from({ length: load.connections }, () => {
    return new Promise<void>((resolve, reject) => {
      const socket = connect(load.port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
      sockets.push(socket);
      let received = "";
      const next = () => {
        received = "";
        if (left === 0) {
          socket.end();
          resolve();
        } else {
          left -= 1;
          socket.write(texts[left % texts.length]!);
        }
      };
      socket.on("connect", next);
      socket.on("data", (chunk: string) => {
        received += chunk;
        if (!isWhole(received)) return;
        if (received.startsWith("HTTP/1.1 200 ") && received.includes(ANSWER)) next();
        else reject(new Error(`not the backend's answer:\n${received.slice(0, 2000)}`));
      });
      socket.on("error", reject);
      // After the last answer this comes too late to matter.
      socket.on("close", () => reject(new Error(`the server closed a connection after:\n${received.slice(0, 2000)}`)));
    });
  });
  return Promise.all(work).then(
    () => undefined,
    (error: unknown) => {
      for (const socket of sockets) socket.destroy();
      throw error;
    },
  );
}

process.on("message", (load: Load) => {
  run(load).then(
    () => process.send!({ ok: true }),
    (error: unknown) => process.send!({ ok: false, error: String(error) }),
  );
});
