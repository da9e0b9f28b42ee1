/** An issuer of tokens for tests: on loopback, with metadata, a key set, and keys that it can rotate; it counts who asks. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export interface Issuer {
  /** Its `iss`. */
  readonly url: string;
  readonly keysUrl: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** The key set as it is published. */
  published: SigningKey[];
  /** What answers in place of it, where a test says so. */
  answer: ((path: string, response: ServerResponse) => void) | undefined;
  /** A token with its newest key: of this issuer, for a quarter of an hour from `nowMs`. */
  sign(claims: Claims, options?: SignOptions): Promise<string>;
  /** Publishes a new key in place of the others, or beside them. */
  rotate(options?: { keep?: boolean; alg?: string }): Promise<SigningKey>;
  close(): void;
}

/** Of any type, right or wrong; undefined leaves one out. */
export type Claims = Readonly<Record<string, unknown>>;

export interface SignOptions {
  readonly nowMs?: number;
  readonly key?: SigningKey;
  readonly header?: Readonly<Record<string, unknown>>;
}

let keys = 0;

export async function makeSigningKey(alg: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `key-${++keys}`;
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export async function startIssuer({ alg = "ES256" } = {}): Promise<Issuer> {
  const server = createServer((request, response) => {
    const path = request.url!;
    issuer.asked.push(path);
    if (issuer.answer) issuer.answer(path, response);
    else answerAsIssuer(issuer, path, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: Issuer = {
    url,
    keysUrl: `${url}/keys`,
    asked: [],
    published: [await makeSigningKey(alg)],
    answer: undefined,
    sign: (claims, { key = issuer.published[0]!, ...options } = {}) => signToken({ iss: url, ...claims }, key, options),
    async rotate({ keep = false, alg: other = alg } = {}) {
      const key = await makeSigningKey(other);
      issuer.published = [key, ...(keep ? issuer.published : [])];
      return key;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return issuer;
}

export function answerAsIssuer({ url, keysUrl, published }: Issuer, path: string, response: ServerResponse): void {
  const documents: Readonly<Record<string, unknown>> = {
    "/.well-known/openid-configuration": { issuer: url, jwks_uri: keysUrl },
    "/keys": { keys: published.map(({ jwk }) => jwk) },
  };
  const document = documents[path];
  response.writeHead(document ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(document ?? {}));
}

export function signToken(
  claims: Claims,
  { alg, kid, privateKey }: SigningKey,
  { nowMs = Date.now(), header = {} }: Omit<SignOptions, "key"> = {},
): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return new SignJWT({ sub: "ada", iat, exp: iat + 900, ...claims } as JWTPayload)
    .setProtectedHeader({ alg, kid, typ: "JWT", ...header })
    .sign(privateKey);
}

/** A token of one's own, HS256, for a quarter of an hour. */
export function signWithSecret(claims: Claims, secret: string, nowMs = Date.now()): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return new SignJWT({ sub: "ada", iat, exp: iat + 900, ...claims } as JWTPayload)
    .setProtectedHeader({ alg: "HS256" })
    .sign(Buffer.from(secret));
}
