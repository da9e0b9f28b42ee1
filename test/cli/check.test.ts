import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TEMPLATE_KEYS } from "#lib/cli/vercel-findings.ts";
import { checkout, ROOT } from "./checkout.ts";

const SHOP = `
backends:
  shop: { url: "\${env.SHOP_URL}", headers: { authorization: "Bearer \${env.SHOP_TOKEN}" }, timeout: { firstByte: 5s, total: 1m } }
defaults: { auth: none }
trust: { proxies: 10.0.0.0/8 }
routes:
  - { path: /api/*, backend: shop, stripPrefix: /api, byMethod: { POST: { maxBody: 64kb } } }
  - { path: "/api/orders/:id", methods: [GET, PUT], host: api.example.com, backend: shop, rewrite: "/v2/orders/\${params.id}" }
  - { path: /old/*, redirect: { to: "/new/\${params.rest}", status: 308 } }
  - { path: /beta, when: { headers: { x-beta: true, x-key: "\${env.SHOP_TOKEN}" } }, respond: { json: { ok: true } } }
`;
const VARIABLES = { SHOP_URL: "https://shop.internal/base", SHOP_TOKEN: "s3cret" };

describe("frontdesk check", () => {
  test("says what a config means, route by route", async () => {
    const { frontdesk, folder } = checkout({ "shop.yaml": SHOP }, VARIABLES);
    const { code, out, err } = await frontdesk("check", "shop.yaml");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^✓ shop\.yaml compiles\.\n\ndigest {4}[\w-]{43}\n/);
    expect(out).toContain("\ntrusts    10.0.0.0/8 about who calls\n");
    expect(out).toContain("Node host: SQLite in .frontdesk/frontdesk.db");
    expect(out).toContain(
      "  shop      https://shop.internal/base\n            waits: connect 2s, first byte 5s, total 1m\n            sends authorization\n",
    );
    const routes = out.slice(out.indexOf("Routes")).split("\n\n").slice(1);
    expect(routes.map((route) => route.split("\n")[0])).toEqual([
      "GET, PUT api.example.com/api/orders/:id  routes[1]",
      "any method /api/*  routes[0]",
      "any method /beta  routes[3]",
      "any method /old/*  routes[2]",
    ]);
    expect(routes[0]).toContain("/api/orders/7 → https://shop.internal/base/v2/orders/7");
    expect(routes[1]).toContain("/api/a/b → https://shop.internal/base/a/b");
    expect(routes[1]).toContain("auth      none: everyone may call");
    expect(routes[1]).toContain("body      at most 4mb; POST at most 64kb");
    expect(routes[2]).toContain("only with header x-beta and header x-key = ${env.SHOP_TOKEN}");
    expect(routes[3]).toContain("redirects (308) to /new/${params.rest}");
    expect(out).not.toContain("s3cret");
    // Without connecting to anything, and without opening the store's file.
    expect(existsSync(join(folder, ".frontdesk"))).toBe(false);
  });

  test("whose requests a target takes, and whether failover leaves the place", async () => {
    const config = `
backends:
  catalog:
    targets: [{ url: https://eu.example, where: { union: EU, countries: [CH, "NO"], subdivisions: US-CA } }, https://us.example]
    canary: { url: https://next.example, percent: 5 }
  records: { targets: [{ url: https://records.example, where: { continents: EU } }], strict: true }
  whole: { targets: [{ url: https://eu.example, where: DE }, https://us.example], strict: true }
defaults: { auth: none }
routes:
  - { path: /a, backend: catalog }
  - { path: /b, backend: records }
  - { path: /c, backend: whole }
`;
    const { frontdesk } = checkout({ "shop.yaml": config }, { GATEWAY_GEO_DATABASE: "city.mmdb" });
    const { code, out, err } = await frontdesk("check", "shop.yaml");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(
      [
        "  catalog   https://eu.example for subdivisions US-CA; countries CH, NO; union EU",
        "            https://us.example for everyone else",
        "            failover may leave the targets of a place: `strict` keeps it there",
        "",
      ].join("\n"),
    );
    expect(out).toContain("strict: no request leaves the targets of its place; callers of other places get 503\n");
    expect(out).toContain("strict: no request leaves the targets of its place\n");
    const { backends } = JSON.parse((await frontdesk("check", "shop.yaml", "--json")).out);
    expect(backends[1].places).toEqual({
      strict: true,
      targets: [{ url: "https://records.example", where: { continents: ["EU"], countries: [], subdivisions: [], unions: [] } }],
    });
    expect(backends[0].places.targets).toHaveLength(2);
  });

  test("says who gets copies, and who is asked when a backend fails", async () => {
    const config = `
backends: { eu: https://eu.example, us: https://us.example, spare: https://spare.example }
routes: [{ path: /, backend: eu, auth: none, mirror: { backend: us, percent: 7 }, fallback: { backend: spare } }]
`;
    const { frontdesk } = checkout({ "shop.yaml": config }, {});
    expect((await frontdesk("check", "shop.yaml")).out).toContain("backend eu, copies 7 % to us, else backend spare\n");
    const { routes } = JSON.parse((await frontdesk("check", "shop.yaml", "--json")).out);
    expect(routes[0].goesTo).toMatchObject({ backend: "eu", mirror: { backend: "us", percent: 7 }, fallback: "spare" });
  });

  test("warns where targets go by places that nobody tells the Node host", async () => {
    const config =
      "backends: { a: { targets: [{ url: https://a.example, where: DE }] } }\nroutes: [{ path: /, backend: a, auth: none }]\n";
    const { frontdesk } = checkout({ "a.yaml": config }, {});
    const { code, err } = await frontdesk("check", "a.yaml");
    expect(code).toBe(0);
    expect(err).toMatch(/^warning: a\.yaml:1:\d+ backends\.a\.targets\[0\]\.where: nobody tells .* `trust\.geo`/);
    // There the platform does.
    expect((await frontdesk("check", "a.yaml", "--vercel")).err).not.toContain("nobody tells");
  });

  test("as JSON", async () => {
    const { frontdesk } = checkout(
      { "shop.yaml": SHOP },
      { ...VARIABLES, UPSTASH_REDIS_REST_URL: "https://x.upstash.io", UPSTASH_REDIS_REST_TOKEN: "t0ken" },
    );
    const { code, out } = await frontdesk("check", "shop.yaml", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      origin: "shop.yaml",
      errors: [],
      warnings: [],
      digest: expect.stringMatching(/^[\w-]{43}$/),
      backends: [{ name: "shop", targets: ["https://shop.internal/base"], headers: ["authorization"] }],
      stores: { vercel: "Redis at x.upstash.io, names begin with fd:frontdesk:development:" },
      routes: [
        {
          position: "routes[1]",
          methods: ["GET", "PUT"],
          auth: [],
          goesTo: { kind: "backend", backend: "shop", example: { from: "/api/orders/7" } },
          byMethod: [{ methods: null, maxBodyBytes: 4_194_304, timeouts: { totalMs: 60_000 }, steps: [] }],
        },
        { byMethod: [{ methods: ["POST"], maxBodyBytes: 65_536 }, { methods: null }] },
        {
          when: ["header x-beta", "header x-key = ${env.SHOP_TOKEN}"],
          goesTo: { kind: "respond", status: 200, contentType: "application/json" },
        },
        { goesTo: { kind: "redirect", status: 308 } },
      ],
    });
    expect(out).not.toMatch(/s3cret|t0ken/);
  });

  test("every fault at once, with its position", async () => {
    const broken = SHOP.replace("backend: shop, stripPrefix", "backend: shpo, stripPrefix").replace("status: 308", "status: 200");
    const { frontdesk } = checkout({ "shop.yaml": broken }, VARIABLES);
    const { code, out, err } = await frontdesk("check", "shop.yaml");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain('shop.yaml:7:21 routes[0].backend: there is no backend called "shpo". Did you mean "shop"?');
    expect(err).toMatch(/shop\.yaml:9:\d+ routes\[2\]\.redirect\.status: expected one of 301/);
    const { code: sameCode, out: json } = await frontdesk("check", "shop.yaml", "--json");
    expect(sameCode).toBe(1);
    expect(JSON.parse(json)).toMatchObject({
      ok: false,
      origin: "shop.yaml",
      errors: [{ rule: "unknown-backend", path: "routes[0].backend", line: 7, column: 21 }, { line: 9 }],
    });
  });

  test("a variable that is missing", async () => {
    const { frontdesk } = checkout({ "shop.yaml": SHOP, ".env": "SHOP_URL=https://shop.internal\n" });
    const { code, err } = await frontdesk("check", "shop.yaml");
    expect(code).toBe(1);
    expect(err).toContain("shop.yaml backends.shop.headers.authorization: the variable SHOP_TOKEN is not set.");
    expect(err).not.toContain("SHOP_URL");
  });

  test("a file is an operand or --config, in each command that reads a config", async () => {
    const { call } = checkout({ "shop.yaml": SHOP }, VARIABLES);
    for (const command of ["check", "routes"]) {
      const byOperand = await call(command, "shop.yaml");
      expect(byOperand.code).toBe(0);
      expect(await call(command, "--config", "shop.yaml")).toEqual(byOperand);
      expect(await call(command, "shop.yaml", "--config", "shop.yaml")).toMatchObject({
        code: 2,
        err: expect.stringContaining('two configs are named: "shop.yaml" and --config "shop.yaml".'),
      });
    }
  });

  test("a variable of the gateway's own that can't be used", async () => {
    const { frontdesk } = checkout({ "shop.yaml": SHOP }, { ...VARIABLES, PORT: "many" });
    const { code, err } = await frontdesk("check", "shop.yaml");
    expect([code, err]).toEqual([1, 'environment PORT: expected a port from 0 to 65535, got "many".\n']);
  });

  test("Vercel's rules are warnings, and errors with --vercel", async () => {
    const { frontdesk } = checkout({ "big.yaml": "routes: [{ path: /, auth: none, maxBody: 9mb, respond: { body: hi } }]" });
    const here = await frontdesk("check", "big.yaml");
    expect(here.code).toBe(0);
    expect(here.out).toContain("big.yaml compiles, with 1 warning.");
    expect(here.err).toMatch(/^warning: big\.yaml:1:\d+ routes\[0\]\.maxBody: 9mb is more than Vercel lets through/);
    const there = await frontdesk("check", "big.yaml", "--vercel");
    expect([there.code, there.out]).toEqual([1, ""]);
    expect(there.err).toMatch(/^big\.yaml:1:\d+ routes\[0\]\.maxBody: 9mb is more/);
  });

  describe("what a build on Vercel would say", () => {
    const config = [
      'trust: { proxies: "10.0.0.0/8", geo: cloudflare }',
      "backends: { a: https://a.example }",
      "routes: [{ path: /, backend: a, auth: none, quota: 100/day, maxBody: 9mb }]",
    ].join("\n");
    const linked = { ".vercel/project.json": "{}" };
    const template = { "vercel.json": readFileSync(join(ROOT, "vercel.json"), "utf8") };

    test.each<[string, Record<string, string>, Record<string, string>]>([
      ["a folder that `vercel link` knows", linked, {}],
      ["variables of Vercel's", {}, { VERCEL_PROJECT_ID: "prj_1" }],
      ["such variables in .env.local", { ".env.local": "VERCEL_URL=x.vercel.app\n" }, {}],
      ["a vercel.json with settings", { "vercel.json": '{ "crons": [] }' }, {}],
      ["`regions` in the config", { "a.yaml": `regions: fra1\n${config}`, "vercel.json": '{ "regions": ["fra1"] }' }, {}],
    ])("%s: warnings", async (_, files, env) => {
      const { call } = checkout({ "a.yaml": config, ...files }, env);
      const { code, out, err } = await call("check", "a.yaml");
      expect(code).toBe(0);
      expect(out).toMatch(/^Vercel {4}a build there would fail by 2 errors, in the warnings below$/m);
      expect(err).toMatch(/^warning: a\.yaml:\d+:\d+ routes\[0\]\.quota: on Vercel: a quota needs Redis on Vercel/m);
      expect(err).toMatch(/ trust\.geo: on Vercel: ignored, since Vercel alone says who calls\.$/m);
      // Told of every config, and so only once.
      expect(err.match(/9mb is more than Vercel lets through/g)).toHaveLength(1);
      const { ok, warnings, vercelErrors } = JSON.parse((await call("check", "a.yaml", "--json")).out);
      expect([ok, vercelErrors, warnings.length]).toEqual([true, 2, 4]);
    });

    test("elsewhere one line", async () => {
      const { call } = checkout({ "a.yaml": config, ...template }, {});
      const { out, err } = await call("check", "a.yaml");
      expect(out).toMatch(/^Vercel {4}a build there would fail by 2 errors: `npx frontdesk check --vercel` shows them$/m);
      expect(err).not.toContain("on Vercel:");
      expect(err.trimEnd().split("\n")).toHaveLength(1);
    });

    test("nothing where all is well, and nothing twice with --vercel", async () => {
      const { call } = checkout({ "a.yaml": "routes: [{ path: /, auth: none, respond: {} }]", "b.yaml": config, ...linked }, {});
      const { out, err } = await call("check", "a.yaml");
      expect([out.includes("Vercel    "), err]).toEqual([false, ""]);
      const there = await call("check", "b.yaml", "--vercel");
      expect(there.code).toBe(1);
      expect(there.err).not.toMatch(/: on Vercel: /);
    });

    test("a fresh copy's vercel.json says nothing of where it runs", () => {
      expect(new Set(Object.keys(JSON.parse(template["vercel.json"])))).toEqual(TEMPLATE_KEYS);
    });
  });

  test("trust without a proxy: nobody is believed, and nobody tells where callers are", async () => {
    const config = [
      "trust: { geo: vercel, field: forwarded }",
      "backends: { a: https://a.example }",
      "routes: [{ path: /, backend: a, auth: none, geo: { deny: KP } }]",
    ].join("\n");
    const { err } = await checkout({ "a.yaml": config }, {}).call("check", "a.yaml");
    expect(err).toMatch(
      /trust\.geo: no proxy is trusted, and so nobody is believed\. Name the proxies' addresses in `trust\.proxies`/,
    );
    expect(err).toMatch(/trust\.field: no proxy is trusted/);
    expect(err).toMatch(/routes\[0\]: nobody tells the Node host where callers are/);
    const trusting = await checkout({ "a.yaml": config }, { GATEWAY_TRUST_PROXY: "10.0.0.0/8" }).call("check", "a.yaml");
    expect(trusting.err).toBe("");
  });

  test("what active checks need on Vercel, each as long as it is missing", async () => {
    const config = "backends: { a: { url: https://a.example, health: /up } }\nroutes: [{ path: /, auth: none, backend: a }]\n";
    const rulesWith = async (files: Record<string, string>, env: Record<string, string>, ...flags: string[]) => {
      const { out } = await checkout({ "a.yaml": config, ...files }, env).frontdesk("check", "a.yaml", "--json", ...flags);
      return JSON.parse(out).warnings.map(({ rule, path }: { rule: string; path: string }) => `${rule} ${path}`);
    };
    const cron = (key: string, value: object) => ({ "vercel.json": JSON.stringify({ [key]: value }) });
    const schedule = { path: "/gateway/health/checks", schedule: "* * * * *" };
    const redis = { KV_REST_API_URL: "https://redis.example", KV_REST_API_TOKEN: "token" };
    const CRON_SECRET = "0123456789abcdef";
    expect(await rulesWith({}, {})).toEqual([]);
    expect(await rulesWith({}, {}, "--vercel")).toEqual([
      ...Array(2).fill("checks-by-cron backends.a.health"),
      "needs-redis backends.a.health",
    ]);
    expect(await rulesWith(cron("crons", [schedule]), redis, "--vercel")).toEqual(["checks-by-cron backends.a.health"]);
    for (const files of [cron("crons", [schedule]), cron("schedules", { checks: schedule })])
      expect(await rulesWith(files, { ...redis, CRON_SECRET }, "--vercel")).toEqual([]);
    const daily = cron("crons", [{ ...schedule, schedule: "0 5 * * *" }]);
    expect(await rulesWith(daily, { ...redis, CRON_SECRET }, "--vercel")).toEqual(["checks-by-cron backends.a.health.interval"]);
  });

  test("what a variable holds and the config writes out is an error with --vercel", async () => {
    const leak = SHOP.replace("ok: true", 'ok: "a-long-secret"');
    const { frontdesk } = checkout({ "shop.yaml": leak }, { ...VARIABLES, SHOP_TOKEN: "a-long-secret" });
    expect((await frontdesk("check", "shop.yaml")).code).toBe(0);
    const { code, err } = await frontdesk("check", "shop.yaml", "--vercel");
    expect(code).toBe(1);
    expect(err).toContain("the value of SHOP_TOKEN stands in the config as plain text");
    expect(err).not.toContain("a-long-secret");
  });

  test("without a file it checks what the hosts would load", async () => {
    const config = '{"routes":[{"path":"/","auth":"none","respond":{"body":"hi"}}]}';
    const fromText = await checkout({}, { GATEWAY_CONFIG: config }).frontdesk("check");
    expect(fromText.out).toContain("✓ GATEWAY_CONFIG compiles.");
    const { frontdesk } = checkout({ "gateway.yaml": config, ".env": "GATEWAY_CONFIG_FILE=gateway.yaml\n" });
    expect((await frontdesk("check")).out).toContain("✓ gateway.yaml compiles.");
    expect(await checkout().frontdesk("check")).toEqual({
      code: 1,
      out: "",
      err: "gateway.config.ts: there is no such file. `frontdesk init` writes a first config.\n",
    });
  });

  test("custom policies show with their place and mode; one that can't be made is an error", async () => {
    const config = (create: string) => `import { defineGateway, definePolicy } from "#frontdesk";
      const policy = definePolicy({ name: "tried", phase: "screen", mode: "shadow", create: () => ${create} });
      export default defineGateway({ routes: [{ path: "/", auth: "none", use: policy, respond: { body: "hi" } }] });`;
    const good = await checkout({ "gateway.config.ts": config("({ decide: () => undefined })") }).frontdesk("check");
    expect(good.out).toContain("steps     tried (shadow) decides at screen\n            respond answers");
    const bad = await checkout({ "gateway.config.ts": config('{ throw new Error("no key file"); }') }).frontdesk("check");
    expect(bad).toEqual({
      code: 1,
      out: "",
      err: `gateway.config.ts: the gateway can't be built: the custom policy "tried" of routes[0] can't be made: no key file\n`,
    });
  });

  test("says where it is to run and whose word it takes, holds vercel.json to it, and shows no secret", async () => {
    const config =
      'regions: fra1\ntrust: { frontends: { secret: "${env.SECRET}" } }\nroutes: [{ path: /, auth: none, respond: {} }]\n';
    const SECRET = "frontend-0123456789-0123456789-0123456789";
    const { frontdesk } = checkout({ "a.yaml": config, "vercel.json": '{ "regions": ["iad1"] }' }, { SECRET });
    const { code, out, err } = await frontdesk("check", "a.yaml");
    expect(code).toBe(0);
    expect(out).toContain("\nregions   fra1 (Frankfurt, DE)\n");
    expect(out).toContain("\ntrusts    frontends that sign who calls, with 1 secret\n");
    expect(err).toContain('vercel.json says ["iad1"]');
    const strict = await frontdesk("check", "a.yaml", "--vercel", "--json");
    expect(strict.code).toBe(1);
    expect(JSON.parse(strict.out).errors).toEqual([expect.objectContaining({ rule: "vercel-regions", path: "regions" })]);
    const asJson = await frontdesk("check", "a.yaml", "--json");
    expect(JSON.parse(asJson.out).trust.frontends).toBe(1);
    expect(out + asJson.out).not.toContain(SECRET);
  });
});
