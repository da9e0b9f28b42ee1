/** Express with its defaults, which takes /Admin/ for /admin: an open route beside protected ones to it opens none of them. */
import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LoopbackServer, serve } from "./loopback-server.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";

interface App extends RequestListener {
  get(path: string, listener: RequestListener): void;
  use(listener: RequestListener): void;
}
/** Its types are a package of their own. */
const express = createRequire(import.meta.url)("express") as () => App;

let server: LoopbackServer;
let gateway: NodeGateway;
const logins: string[] = [];

beforeAll(async () => {
  const app = express();
  for (const path of ["/admin", "/admin/users", "/users/:id"]) app.get(path, (_, response) => response.end("SECRET"));
  app.get("/login", (request, response) => {
    logins.push(request.url!);
    response.end("login");
  });
  app.use((_, response) => response.end("public"));
  server = await serve(app);
  gateway = await startNodeGateway(
    {
      backends: { web: server.url },
      auth: { own: { jwt: { secret: "${env.SECRET}", audience: "a" } } },
      routes: [
        { path: "/*", backend: "web", auth: "none" },
        { path: "/admin", backend: "web", auth: "own" },
        { path: "/admin/users", backend: "web", auth: "own" },
        { path: "/users/:id", backend: "web", auth: "own", owner: { param: "id", claim: "sub" } },
        { path: "/login", backend: "web", auth: "none", limit: "2/m" },
      ],
    },
    { SECRET: "express-paths-express-paths-express-paths" },
  );
});
afterAll(async () => {
  await gateway?.stop();
  server?.close();
});

const get = async (path: string) => {
  const answer = await fetch(gateway.url + path);
  return [answer.status, await answer.text()] as const;
};

test.each([
  "/admin",
  "/admin/",
  "/Admin",
  "/ADMIN/",
  "/admin/users/",
  "/admin/USERS",
  "/%41dmin",
  "/users/2",
  "/users/2/",
  "/uSERS/2",
])("%s shows nobody what is behind it", async (path) => {
  const [status, text] = await get(path);
  expect(text).not.toContain("SECRET");
  expect([401, 404]).toContain(status);
});

test("the limit of /login holds in every spelling", async () => {
  for (const path of ["/login", "/Login", "/login/", "/LOGIN", "/login", "/login", "/login?x"]) await get(path);
  expect(logins).toHaveLength(2);
});

test("other paths are public", async () => {
  for (const path of ["/", "/About/", "/admin.css", "/administrator", "/users"]) expect(await get(path)).toEqual([200, "public"]);
});
