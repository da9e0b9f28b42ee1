/** Reason phrases of every kind, and answers that can't be written: each request has an end, on both hosts. */
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { freePort } from "../../support/free-port.ts";

/** As the bytes after the status. */
const PHRASES: Record<string, Buffer> = {
  "ASCII of its own": Buffer.from("Nobody Here"),
  "latin-1": Buffer.from("caf\xe9", "latin1"),
  "UTF-8 in latin-1's range": Buffer.from("café"),
  "UTF-8 outside of it": Buffer.from("Страница не найдена’"),
  "a control character": Buffer.from("a\x01b"),
  "a tab": Buffer.from("a\tb"),
  nothing: Buffer.from(""),
};

let phrase = PHRASES["nothing"]!;
let status = 404;
const port = await freePort();
const sockets = new Set<Socket>();
const old = createServer((socket) => {
  sockets.add(socket);
  socket.on("error", () => {});
  socket.on("data", () =>
    socket.write(
      Buffer.concat([
        Buffer.from(`HTTP/1.1 ${status} `),
        phrase,
        Buffer.from("\r\nContent-Length: 2\r\nCache-Control: max-age=60\r\n\r\nok"),
      ]),
    ),
  );
});

beforeAll(() => new Promise<void>((done) => old.listen(port, "127.0.0.1", done)));
afterAll(() => {
  old.close();
  for (const socket of sockets) socket.destroy();
});

describeHosts(
  import.meta.dirname,
  (flow) => {
    describe.each(Object.entries(PHRASES))("%s", (name, bytes) => {
      test.each(["plain", "cached", "again", "fallback", "beat"])("on %s", async (route) => {
        phrase = bytes;
        status = 404;
        for (const host of ["node", "vercel"] as const) {
          const answer = await flow.sendTo(host, `/${route}/${encodeURIComponent(name)}`);
          expect(answer).toMatchObject({ status: 404, text: "ok", isWhole: true });
        }
      });
    });

    test("the bytes of a phrase stay what they are, where they can be known", async () => {
      phrase = PHRASES["UTF-8 in latin-1's range"]!;
      expect((await flow.sendTo("node", "/plain/x")).statusText).toBe(phrase.toString("latin1"));
      phrase = PHRASES["ASCII of its own"]!;
      expect((await flow.sendTo("node", "/plain/x")).statusText).toBe("Nobody Here");
      phrase = PHRASES["latin-1"]!;
      expect((await flow.sendTo("node", "/plain/x")).statusText).toBe("Not Found");
    });

    test("205 with a body that it may not have has an end", async () => {
      phrase = Buffer.from("Reset Content");
      status = 205;
      for (const host of ["node", "vercel"] as const) expect((await flow.sendTo(host, "/plain/reset")).status).toBe(205);
    });
  },
  () => ({ OLD_URL: `http://127.0.0.1:${port}` }),
);
