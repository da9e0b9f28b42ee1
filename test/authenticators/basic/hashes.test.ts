/** Users whose passwords the config has only as hashes: as slow as it must be once, and for nobody else's cost. */
import { scryptSync } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { hashPassword, makePasswordHash, parsePasswordHash } from "#lib/crypto/password-hash.ts";
import { gatewayOf } from "../../policies/gateway.ts";

const hashed = vi.hoisted(() => ({ count: 0, hold: undefined as Promise<void> | undefined }));
// Counted where the work is done; the work itself is real.
vi.mock("node:crypto", async (load) => {
  const crypto = await load<typeof import("node:crypto")>();
  const scrypt = ((...args: Parameters<typeof crypto.scrypt>) => {
    hashed.count++;
    if (hashed.hold) hashed.hold.then(() => crypto.scrypt(...args));
    else crypto.scrypt(...args);
  }) as typeof crypto.scrypt;
  return { ...crypto, default: crypto, scrypt };
});

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
/** The least cost that is taken: tests make many. */
function hashOf(password: string): string {
  const salt = Buffer.from(`salt of ${password}`.slice(0, 16).padEnd(16));
  const hash = scryptSync(password.normalize("NFC"), salt, 32, { N: 2 ** 14, r: 8, p: 1, maxmem: 2 ** 26 });
  return `$scrypt$ln=14,r=8,p=1$${base64(salt)}$${base64(hash)}`;
}

const HASHES = { ada: hashOf("correct horse"), rené: hashOf("café") };
const gateway = () =>
  gatewayOf(
    {
      auth: {
        staff: {
          basic: {
            users: {
              ada: { passwordHash: HASHES.ada, scopes: "reports:read" },
              rené: { passwordHash: "${env.RENE_HASH}" },
              bot: "${env.BOT}",
            },
          },
        },
      },
      routes: [{ path: "/", auth: "staff", respond: { body: "${consumer.id}" } }],
    },
    { variables: { BOT: "beep", RENE_HASH: HASHES.rené } },
  );
let to = gateway();
const send = (pair: string, ip = "192.0.2.1") =>
  to.send({ headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` }, ip });

beforeEach(() => {
  to = gateway();
  hashed.count = 0;
  hashed.hold = undefined;
});

test("the right password is hashed once, and known from then on", async () => {
  for (let i = 0; i < 5; i++) expect(await send("ada:correct horse")).toMatchObject({ status: 200, text: "staff:ada" });
  expect(hashed.count).toBe(1);
  expect((await send("rené:café")).status).toBe(200);
  expect((await send("rene\u0301:cafe\u0301")).status).toBe(200);
  expect(hashed.count).toBe(2);
});

test("a wrong one costs the same whether the user is there, is not, has another kind of password, or was here before", async () => {
  for (const pair of ["ada:wrong", "eve:correct horse", "bot:wrong", ":x", "ada:"]) {
    hashed.count = 0;
    const refused = await send(pair);
    expect([pair, refused.status, hashed.count]).toEqual([pair, 401, 1]);
    expect(refused.record.reason).toBe("staff: no such user, or another password");
  }
  await send("ada:correct horse");
  hashed.count = 0;
  expect((await send("ada:wrong")).status).toBe(401);
  expect(hashed.count).toBe(1);
});

test("what is no pair, and the password of a user who has it in clear, cost nothing", async () => {
  expect((await send("ada")).status).toBe(401);
  expect((await send("bot:beep")).status).toBe(200);
  expect(hashed.count).toBe(0);
});

describe("a flood", () => {
  /** Nothing ends before `go`. */
  function held(): () => void {
    let go = () => {};
    hashed.hold = new Promise((resolve) => {
      go = resolve;
    });
    return go;
  }

  test("one runs at a time; of one caller 5 have a place, and 21 of all; the others hear so at once", async () => {
    const go = held();
    const ofOne = Array.from({ length: 50 }, (_, index) => send(`ada:guess ${index}`));
    const ofOthers = Array.from({ length: 50 }, (_, index) => send(`ada:guess of ${index}`, `198.51.100.${index}`));
    const shed = await Promise.all([...ofOne.slice(5), ...ofOthers.slice(16)]);
    expect(new Set(shed.map(({ status }) => status))).toEqual(new Set([503]));
    expect(shed[0]!.headers.get("x-gateway-error")).toBe("overloaded");
    expect(shed[0]!.headers.get("retry-after")).toBe("1");
    expect(hashed.count).toBe(1);
    go();
    const served = await Promise.all([...ofOne.slice(0, 5), ...ofOthers.slice(0, 16)]);
    expect(served.map(({ status }) => status)).toEqual(Array(21).fill(401));
    expect(hashed.count).toBe(21);
    expect((await send("ada:correct horse")).status).toBe(200);
  });

  test("holds up nobody who was here before", async () => {
    await send("ada:correct horse");
    const go = held();
    const flood = Array.from({ length: 50 }, (_, index) => send(`ada:guess ${index}`, `198.51.100.${index}`));
    expect((await send("ada:correct horse")).status).toBe(200);
    expect((await send("bot:beep")).status).toBe(200);
    go();
    await Promise.all(flood);
  });

  test("of one pair is one check", async () => {
    const go = held();
    const same = Array.from({ length: 30 }, () => send("ada:correct horse"));
    go();
    expect((await Promise.all(same)).map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(hashed.count).toBe(1);
  });
});

describe("the format", () => {
  test("is that of others: passlib's example", async () => {
    const text = "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";
    const parsed = parsePasswordHash(text)!;
    expect(Buffer.from(parsed.hash).equals(await hashPassword("password", parsed))).toBe(true);
    expect(Buffer.from(parsed.hash).equals(await hashPassword("Password", parsed))).toBe(false);
  });

  test("what is made is read, with a salt of its own", async () => {
    const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
    const [one, other] = await Promise.all([makePasswordHash("a", random), makePasswordHash("a", random)]);
    expect(one).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(other);
    const parsed = parsePasswordHash(one)!;
    expect(Buffer.from(parsed.hash).equals(await hashPassword("a", parsed))).toBe(true);
  });

  const salt = "aM15713r3Xsvxbi31lqr1Q";
  const hash = "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";
  test.each([
    "correct horse",
    `$2b$12$${salt}${hash}`,
    `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${hash}`,
    `$scrypt$ln=13,r=8,p=1$${salt}$${hash}`,
    `$scrypt$ln=18,r=8,p=1$${salt}$${hash}`,
    `$scrypt$ln=14,r=0,p=1$${salt}$${hash}`,
    `$scrypt$ln=99,r=8,p=1$${salt}$${hash}`,
    `$scrypt$ln=14,r=8,p=99$${salt}$${hash}`,
    `$scrypt$ln=14,r=8,p=5$short$${hash}`,
    `$scrypt$ln=14,r=8,p=5$${salt}$short`,
    `$scrypt$ln=14,r=8,p=5$${salt}$${hash}=`,
  ])("%s is none", (text) => expect(parsePasswordHash(text)).toBeUndefined());
});
