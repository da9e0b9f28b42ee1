/** NTLM and Negotiate: a backend that signs in connections never signs in one that callers share. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { describeHosts, type Flow } from "../../support/describe-hosts.ts";
import type { HostName } from "../../support/host-process.ts";
import { until } from "../../support/until.ts";

/** Who is signed in on a connection, as such a server keeps it. */
const signedIn = new WeakMap<Socket, string>();
const seen: string[] = [];
let challenges: string[] = [];

function answer({ socket, headers, url }: IncomingMessage, response: ServerResponse): void {
  const credential = headers.authorization ?? "";
  seen.push(`${url} ${credential}`);
  const [, name] = /^(?:ntlm|negotiate) TYPE3 (\w+)/i.exec(credential) ?? [];
  if (name) signedIn.set(socket, name);
  const person = signedIn.get(socket);
  if (person) response.writeHead(200, { "x-auth-request-user": person }).end(`hello ${person}`);
  else response.writeHead(401, { "www-authenticate": challenges }).end("who?");
}

const intranet = createServer(answer);
await new Promise<void>((done) => intranet.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${(intranet.address() as AddressInfo).port}`;
afterAll(() => {
  intranet.close();
  intranet.closeAllConnections();
});
beforeEach(() => {
  challenges = ["Negotiate", "NTLM"];
  seen.length = 0;
});

const HOSTS: readonly HostName[] = ["node", "vercel"];
const SCHEMES = ["NTLM", "Negotiate", "ntlm", "NEGOTIATE"];

describeHosts(
  import.meta.dirname,
  (flow: Flow) => {
    describe.each(HOSTS)("by the %s host", (host) => {
      const ask = (target: string, authorization?: string) =>
        flow.sendTo(host, { target, headers: authorization === undefined ? [] : ["authorization", authorization] });

      test.each(["/x/a", "/cached/a", "/again/a", "/fallback/a"])("a backend that offers nothing else: %s", async (target) => {
        const refused = await ask(target);
        expect(refused.status).toBe(501);
        expect(refused.headers.get("x-gateway-error")).toBe("connection-auth-unsupported");
        expect(refused.headers.has("www-authenticate")).toBe(false);
      });

      test.each(["/x/a", "/cached/a", "/again/a", "/fallback/a"])("a caller that signs in: %s", async (target) => {
        for (const scheme of SCHEMES) {
          for (const step of ["TYPE1", "TYPE3 ann"]) {
            const refused = await ask(target, `${scheme} ${step}`);
            expect(refused.status).toBe(501);
            expect(refused.text).not.toContain("hello");
          }
        }
        // On the same connections, somebody else.
        for (let n = 0; n < 5; n++) expect((await ask(target)).text).not.toContain("ann");
        expect(seen.filter((request) => /ntlm|negotiate/i.test(request))).toEqual([]);
      });

      test("its other schemes are passed on", async () => {
        challenges = ["Negotiate", 'Basic realm="a, NTLM", NTLM', "Bearer"];
        const offered = await ask("/x/a");
        expect(offered.status).toBe(401);
        expect(offered.headers.all("www-authenticate").join("; ")).toMatch(/^Basic realm="a, NTLM"[;,] Bearer$/);
        expect((await ask("/x/a", "Basic YTpi")).status).toBe(401);
        expect(seen).toContain("/x/a Basic YTpi");
      });

      test("no copy of such a request goes to a mirror", async () => {
        await ask("/mirrored/a", "NTLM TYPE3 ann");
        await ask("/mirrored/last");
        await until(() => seen.includes("/mirrored/last "), "the copy of the next request");
        expect(seen.filter((request) => request.includes("TYPE3"))).toEqual([]);
      });

      test("no such credential goes to the service that says who calls", async () => {
        expect((await ask("/door/a", "NTLM TYPE3 ann")).status).toBe(401);
        expect((await ask("/door/a")).text).not.toContain("ann");
        expect(seen.filter((request) => request.includes("TYPE3"))).toEqual([]);
      });
    });

    test("nor by a WebSocket handshake", async () => {
      const refused = await flow.sendTo("node", {
        target: "/x/socket",
        headers: [
          ...["connection", "upgrade", "upgrade", "websocket", "sec-websocket-version", "13"],
          ...["sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==", "authorization", "NTLM TYPE3 ann"],
        ],
      });
      expect(refused.status).toBe(501);
      expect(seen).toEqual([]);
    });
  },
  () => ({ INTRANET_URL: url }),
);
