/** JWTs on the Node host, by algorithm: each token new to it, and one token over and over. */
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Row } from "./row.ts";

const SERVER = join(import.meta.dirname, "..", "scripts", "start.mjs");
const ISSUER = "https://issuer.example";
/** A signature costs this process more than the server: rounds of new tokens are short. */
const SHARE_OF_NEW = 0.25;
/** Whose tokens come in turn, so that none is asked for twice in a row. */
const CALLERS = 100;

interface Signer {
  /** Of the authenticator. */
  readonly options: object;
  readonly env: Readonly<Record<string, string>>;
  sign(): Promise<string>;
}

async function signerFor(alg: string): Promise<Signer> {
  const secret = randomBytes(32).toString("base64url");
  const pair = alg === "HS256" ? undefined : await generateKeyPair(alg, { extractable: true });
  const key = pair?.privateKey ?? Buffer.from(secret);
  return {
    options: pair ? { issuer: ISSUER, keys: await exportJWK(pair.publicKey) } : { issuer: ISSUER, secret: "${env.SECRET}" },
    env: pair ? {} : { SECRET: secret },
    sign: () =>
      new SignJWT({ scope: "orders:read orders:write", email: "ada@shop.example" })
        .setProtectedHeader({ alg, typ: "JWT" })
        .setIssuer(ISSUER)
        .setAudience("shop")
        .setSubject("auth0|65f1c0ffee")
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(key),
  };
}

async function rowsFor(alg: string): Promise<Row[]> {
  const { options, env, sign } = await signerFor(alg);
  const all = await Promise.all(Array.from({ length: CALLERS }, sign));
  const launch: Row["launch"] = ({ backend, port, folder }) => ({
    args: [SERVER],
    cwd: folder,
    env: {
      ...env,
      PORT: String(port),
      HOST: "127.0.0.1",
      GATEWAY_CONFIG: JSON.stringify({
        overload: false,
        backends: { b: backend },
        auth: { web: { jwt: { ...options, audience: "shop" } } },
        routes: [{ path: "/x/*", backend: "b", stripPrefix: "/x", auth: "web" }],
      }),
    },
  });
  const name = `jwt-${alg.toLowerCase()}`;
  const remembered = { reference: "node-host", atMost: 1.05, launch };
  return [
    {
      name: `${name}-new`,
      title: `Node host, ${alg} at first sight`,
      reference: "node-host",
      share: SHARE_OF_NEW,
      tokens: (requests) => Promise.all(Array.from({ length: requests }, sign)),
      launch,
    },
    { ...remembered, name, title: `Node host, ${alg} remembered`, tokens: async () => all.slice(0, 1) },
    // What it adds does not hang on the algorithm.
    ...(alg === "RS256"
      ? [{ ...remembered, name: `${name}-turns`, title: `Node host, ${CALLERS} such tokens in turn`, tokens: async () => all }]
      : []),
  ];
}

export const jwtRows: readonly Row[] = (await Promise.all(["HS256", "RS256", "ES256", "EdDSA"].map(rowsFor))).flat();
