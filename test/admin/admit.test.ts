/** Who is let in as the operator, and how often somebody may be wrong about the token. */
import { beforeEach, describe, expect, test } from "vitest";
import { type Admit, createAdmit, createCronAdmit } from "#lib/admin/admit.ts";
import { createEndpoints, type EndpointOptions } from "#lib/admin/endpoints.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { exchangeFor } from "../support/exchange.ts";

const TOKEN = "0123456789abcdef-the-operator";
const CRON_SECRET = "0123456789abcdef-a-scheduler";
let nowMs: number;
let logged: (Record<string, unknown> | undefined)[];
let admit: Admit;
let admitCron: Admit;

beforeEach(() => {
  // The beginning of a minute.
  nowMs = 1_800_000_000_000;
  logged = [];
  const log = { info() {}, error() {}, warn: (_: string, fields?: Record<string, unknown>) => logged.push(fields) };
  const { local: counters } = createMemoryStores();
  const access = { token: TOKEN, cronSecret: CRON_SECRET, openOnLoopback: false };
  admit = createAdmit(access, { counters, log, now: () => nowMs });
  admitCron = createCronAdmit(access, { counters, log, now: () => nowMs });
});

const ask = (authorization: string | undefined, ip: string | undefined = "192.0.2.1", by = admit) => {
  const headers = new HeaderList(authorization === undefined ? [] : ["authorization", authorization]);
  return by({ host: "gateway.example", headers, client: { ip, geo: undefined } });
};
const codeOf = (...args: Parameters<typeof ask>) => ask(...args)?.code ?? "admitted";
const RIGHT = `Bearer ${TOKEN}`;
const guess = (count: number, ip?: string) => {
  for (let i = 0; i < count; i++) expect(codeOf(`Bearer guess-${i}`, ip)).toBe("credentials-invalid");
};

test("by Bearer, or as the password of Basic", () => {
  expect(codeOf(RIGHT)).toBe("admitted");
  expect(codeOf(`Basic ${Buffer.from(`me:${TOKEN}`).toString("base64")}`)).toBe("admitted");
  expect(codeOf(undefined)).toBe("credentials-missing");
  expect(codeOf(`Bearer ${TOKEN}x`)).toBe("credentials-invalid");
});

describe("a scheduler", () => {
  const cron = (secret: string, ip?: string) => ask(`Bearer ${secret}`, ip, admitCron)?.code ?? "admitted";

  test("is let in to the checks, as the operator is", () => {
    expect(cron(CRON_SECRET)).toBe("admitted");
    expect(cron(TOKEN)).toBe("admitted");
    expect(cron(`${CRON_SECRET}x`)).toBe("credentials-invalid");
    expect(ask(undefined, undefined, admitCron)!.code).toBe("credentials-missing");
  });

  test("and to nothing else: there its secret is a wrong guess", () => {
    for (let i = 0; i < 10; i++) expect(codeOf(`Bearer ${CRON_SECRET}`)).toBe("credentials-invalid");
    expect(codeOf(RIGHT)).toBe("rate-limited");
  });

  test("guesses at its secret and at the admin token are counted together", () => {
    guess(5);
    for (let i = 0; i < 5; i++) expect(cron(`guess ${i}`)).toBe("credentials-invalid");
    expect(cron(CRON_SECRET)).toBe("rate-limited");
    expect(codeOf(RIGHT)).toBe("rate-limited");
    expect(cron(CRON_SECRET, "192.0.2.2")).toBe("admitted");
  });

  test.each([
    [undefined, undefined, "route-not-found", "route-not-found"],
    [TOKEN, undefined, "credentials-invalid", "credentials-invalid"],
    [undefined, CRON_SECRET, "admitted", "credentials-invalid"],
  ])("with the admin token %s and the secret %s", (token, cronSecret, right, wrong) => {
    const deps = { counters: createMemoryStores().local, log: { info() {}, warn() {}, error() {} }, now: () => nowMs };
    const access = { token, cronSecret, openOnLoopback: false };
    const codeBy = (by: Admit, secret: string) => ask(`Bearer ${secret}`, undefined, by)?.code ?? "admitted";
    expect(codeBy(createCronAdmit(access, deps), CRON_SECRET)).toBe(right);
    for (const secret of ["undefined", "", " "]) expect(codeBy(createCronAdmit(access, deps), secret)).toBe(wrong);
    expect(codeBy(createAdmit(access, deps), CRON_SECRET)).toBe(token ? "credentials-invalid" : "route-not-found");
  });
});

describe("guesses", () => {
  test("after ten wrong tokens in a minute, not even the right one is looked at", () => {
    guess(10);
    nowMs += 20_000;
    expect(ask(RIGHT)).toMatchObject({ code: "rate-limited", headers: ["retry-after", "40"] });
    expect(codeOf("Bearer guess")).toBe("rate-limited");
    nowMs += 40_000;
    expect(codeOf(RIGHT)).toBe("admitted");
    guess(10);
  });

  test("from elsewhere the right one is", () => {
    guess(10);
    expect(codeOf(RIGHT, "192.0.2.2")).toBe("admitted");
    guess(10, "192.0.2.2");
    expect(codeOf(RIGHT, "198.51.100.1")).toBe("admitted");
  });

  test("addresses of one IPv6 network are one place, and so are those that nobody knows", () => {
    for (let i = 0; i < 10; i++) codeOf("Bearer guess", `2001:db8::${i + 1}`);
    expect(codeOf(RIGHT, "2001:db8::ffff")).toBe("rate-limited");
    expect(codeOf(RIGHT, "2001:db8:0:1::1")).toBe("admitted");
    const unknown = (authorization: string) =>
      admit({ host: "gateway.example", headers: new HeaderList(["authorization", authorization]) })?.code;
    for (let i = 0; i < 10; i++) unknown("Bearer guess");
    expect(unknown(RIGHT)).toBe("rate-limited");
    expect(codeOf(RIGHT)).toBe("admitted");
  });

  test("who is locked out by others is told of the way in that is left", () => {
    guess(10);
    const { code, detail } = ask(RIGHT)!;
    expect(code).toBe("rate-limited");
    expect(detail).toContain("the `frontdesk` command");
    expect(detail).toContain("without `--url`");
  });

  test("right tokens, and requests without one, are not counted", () => {
    for (let i = 0; i < 50; i++) {
      expect(codeOf(RIGHT)).toBe("admitted");
      expect(codeOf(undefined)).toBe("credentials-missing");
    }
    guess(10);
    expect(codeOf(undefined)).toBe("credentials-missing");
  });

  test("the log has one line for each such minute, without a token in it", () => {
    guess(9);
    expect(logged).toEqual([]);
    guess(1);
    for (let i = 0; i < 50; i++) codeOf("Bearer guess");
    expect(logged).toEqual([{ from: "192.0.2.1", tried: 10 }]);
    nowMs += 60_000;
    guess(10);
    expect(logged).toHaveLength(2);
  });
});

describe("what everybody may see", () => {
  const endpoints = () =>
    createEndpoints({ admit, overview: () => ({}), api: undefined, jwks: { keys: [] } } as unknown as EndpointOptions);
  const get = (target: string) => {
    const exchange = exchangeFor({ target, headers: ["authorization", "Bearer of something else"] });
    return endpoints().answer(exchange as never) as { status?: number; code?: string };
  };

  test("asks for no token, so that one for something else is no guess", () => {
    for (let i = 0; i < 20; i++) expect(get("/gateway/jwks.json").status).toBe(200);
    for (let i = 0; i < 20; i++) expect(get("/gateway/problems").status).toBe(200);
    expect(logged).toEqual([]);
  });

  test("health tells the operator more, so that there it is one", () => {
    for (let i = 0; i < 20; i++) expect(get("/gateway/health").status).toBe(200);
    expect(logged).toHaveLength(1);
    expect(get("/gateway/none").code).toBe("rate-limited");
  });
});
