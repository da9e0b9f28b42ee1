/** Every way to forge, bend or smuggle a token that this repository knows of. Each is refused, and none reaches a backend. */
import { CompactEncrypt, importJWK } from "jose";
import type { SigningKey } from "../../support/issuer.ts";
import type { RawRequest } from "../../support/raw-client.ts";
import { by, craft, formsOf, hmac } from "./tokens.ts";

export interface Scene {
  readonly issuer: string;
  /** Keys of the issuer. */
  readonly rsa: SigningKey;
  readonly ec: SigningKey;
  /** A key of the attacker's. */
  readonly own: SigningKey;
  /** Where a key of the attacker's could be fetched, if anybody did. */
  readonly canary: string;
  readonly secret: string;
}

/** Of one group: by name, a token to be sent as `Bearer`, or a whole request. */
type Group = Readonly<Record<string, string | RawRequest | Promise<string>>>;

/** Two `Authorization` fields, of which a backend could take either. */
export function twoFields(first: string, second: string): RawRequest {
  return { target: "/shop/x", headers: ["Authorization", `Bearer ${first}`, "authorization", `Bearer ${second}`] };
}

export async function attacksOn(scene: Scene): Promise<Readonly<Record<string, Group>>> {
  const { issuer, rsa, ec, own, canary, secret } = scene;
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: "shop", sub: "ada", iat: now, exp: now + 900 };
  const header = { alg: "RS256", kid: rsa.kid, typ: "JWT" };
  const good = craft(header, claims, by(rsa));
  const [head = "", body = "", signature = ""] = good.split(".");
  const withClaims = (changed: object) => craft(header, { ...claims, ...changed }, by(rsa));
  const withHeader = (changed: object) => craft({ ...header, ...changed }, claims, by(rsa));
  const byStranger = (changed: object) => craft({ ...header, ...changed }, claims, by(own));
  const ecHeader = { alg: "ES256", kid: ec.kid };
  const ecSigned = (bytes: Buffer) => craft(ecHeader, claims, () => bytes);
  const request = (...headers: string[]): RawRequest => ({ target: "/shop/x", headers });
  const authorization = (value: string) => request("Authorization", value);
  const flipped = (text: string) => (text.startsWith("A") ? `B${text.slice(1)}` : `A${text.slice(1)}`);

  const none = ["none", "None", "NONE", "nOnE", "none ", "", "null"];
  return {
    "alg: none": {
      ...Object.fromEntries(
        none.map((alg) => [`alg ${JSON.stringify(alg)} without a signature`, craft({ ...header, alg }, claims, () => "")]),
      ),
      ...Object.fromEntries(
        none.map((alg) => [`alg ${JSON.stringify(alg)} with one`, craft({ ...header, alg }, claims, by(rsa))]),
      ),
      "no alg": craft({ kid: rsa.kid }, claims, by(rsa)),
      "alg as a list": craft({ ...header, alg: ["RS256"] }, claims, by(rsa)),
      "alg null": craft({ ...header, alg: null }, claims, by(rsa)),
      "RS256 without a signature": `${head}.${body}.`,
    },
    "key confusion": {
      ...Object.fromEntries(
        Object.entries(formsOf(rsa)).flatMap(([form, key]) =>
          (["256", "384", "512"] as const).map((bits) => [
            `HS${bits} with the public key as ${form}`,
            craft({ ...header, alg: `HS${bits}` }, claims, hmac(key, `sha${bits}`)),
          ]),
        ),
      ),
      "an RSA key for ES256": craft({ ...header, alg: "ES256" }, claims, by(rsa)),
      "an EC key for RS256": craft({ ...header, kid: ec.kid }, claims, by(ec)),
      "RS256 said to be RS512": withHeader({ alg: "RS512" }),
      "the secret of another authenticator": craft({ alg: "HS256" }, claims, hmac(secret)),
      "a public key where a secret is asked for": { target: "/own/x", headers: ["Authorization", `Bearer ${good}`] },
      "HS256 with an empty secret": {
        target: "/own/x",
        headers: ["Authorization", `Bearer ${craft({ alg: "HS256" }, claims, hmac(""))}`],
      },
    },
    kid: {
      ...Object.fromEntries(
        [
          "../../../../../../dev/null",
          "/dev/null",
          "x' UNION SELECT 'secret' --",
          "file:///etc/passwd",
          `${canary}/keys`,
          "__proto__",
          "constructor",
          "",
          "k".repeat(2000),
        ].map((kid) => [`kid ${kid.slice(0, 30)}`, byStranger({ kid })]),
      ),
      "kid /dev/null and an empty secret": craft({ alg: "HS256", kid: "/dev/null" }, claims, hmac("")),
      "kid as an object": withHeader({ kid: { kid: rsa.kid } }),
      "kid as a list": withHeader({ kid: [rsa.kid] }),
      "no kid": byStranger({ kid: undefined }),
    },
    "keys that the token brings": {
      jwk: byStranger({ jwk: own.jwk }),
      "jwk without kid": byStranger({ jwk: own.jwk, kid: undefined }),
      jku: byStranger({ jku: `${canary}/keys` }),
      "jku of the issuer's host": byStranger({ jku: `${issuer}/elsewhere` }),
      x5u: byStranger({ x5u: `${canary}/cert` }),
      x5c: byStranger({ x5c: ["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"] }),
      "iss as an address": craft(header, { ...claims, iss: canary }, by(own)),
    },
    extensions: {
      "crit with exp": withHeader({ crit: ["exp"] }),
      "crit with what nobody knows": withHeader({ crit: ["urn:example:new"], "urn:example:new": true }),
      "crit empty": withHeader({ crit: [] }),
      "b64 false": craft({ ...header, b64: false, crit: ["b64"] }, claims, by(rsa)),
      "b64 false without crit": withHeader({ b64: false }),
    },
    "JSON that can be read in two ways": {
      "sub twice": craft(header, `${JSON.stringify(claims).slice(0, -1)},"sub":"admin"}`, by(rsa)),
      "sub twice, once escaped": craft(header, `${JSON.stringify(claims).slice(0, -1)},"su\\u0062":"admin"}`, by(rsa)),
      "a name twice further in": withClaims({}).replace(body, Buffer.from('{"a":{"b":1,"b":2}}').toString("base64url")),
      "alg twice": craft(`{"alg":"none","alg":"RS256","kid":"${rsa.kid}"}`, claims, by(rsa)),
      "claims that are a list": craft(header, [claims], by(rsa)),
      "claims that are text": craft(header, '"ada"', by(rsa)),
      "claims that are no JSON": craft(header, "sub=ada", by(rsa)),
      "a header that is no object": craft("null", claims, by(rsa)),
      "a byte order mark": craft(header, `\ufeff${JSON.stringify(claims)}`, by(rsa)),
    },
    "types of claims": {
      ...Object.fromEntries(
        (
          [
            ["exp", "9999999999"],
            ["exp", null],
            ["exp", [now + 900]],
            ["exp", true],
            ["nbf", "0"],
            ["iat", {}],
            ["aud", 1],
            ["aud", { shop: true }],
            ["aud", [["shop"]]],
            ["aud", null],
            ["iss", [issuer]],
            ["iss", { url: issuer }],
            ["sub", 1],
            ["sub", ["ada"]],
            ["sub", { id: "ada" }],
            ["sub", ""],
          ] as const
        ).map(([name, value]) => [`${name} as ${JSON.stringify(value)}`.replace(issuer, "…"), withClaims({ [name]: value })]),
      ),
    },
    "made for something else": {
      ...Object.fromEntries(
        ["logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", 5].map((typ) => [`typ ${typ}`, withHeader({ typ })]),
      ),
      "another audience": withClaims({ aud: "blog" }),
      "an audience that begins alike": withClaims({ aud: "shop.evil.example" }),
      "no audience": withClaims({ aud: undefined }),
      "another issuer with the same key": withClaims({ iss: "https://other.example" }),
      "the issuer with a slash more": withClaims({ iss: `${issuer}/` }),
      "no issuer": withClaims({ iss: undefined }),
      "no subject": withClaims({ sub: undefined }),
    },
    time: {
      expired: withClaims({ exp: now - 60 }),
      "without an end": withClaims({ exp: undefined }),
      "ended before time began": withClaims({ exp: -1 }),
      "not yet valid": withClaims({ nbf: now + 600 }),
      "issued in the future": withClaims({ iat: now + 600 }),
    },
    "cut, padded, respelt": {
      "one character short": good.slice(0, -1),
      "half a signature": good.slice(0, -100),
      "two parts": `${head}.${body}`,
      "one part": head,
      "four parts": `${good}.${signature}`,
      "three empty parts": "..",
      "padding at the end": `${good}==`,
      "padding inside": `${head}=.${body}.${signature}`,
      "base64 in place of base64url": craft(header, claims, (input) =>
        (by(rsa)(input) as Buffer).toString("base64").replace(/[A-Z]/, "+"),
      ),
      "bits behind the last byte": `${good.slice(0, -1)}${String.fromCharCode(good.charCodeAt(good.length - 1) + 1)}`,
      "claims changed under a signature": `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: "admin" })).toString("base64url")}.${signature}`,
      "another token's signature": `${head}.${body}.${withClaims({ sub: "bob" }).split(".")[2]}`,
      "one bit of the signature": `${head}.${body}.${flipped(signature)}`,
      "JSON serialization": JSON.stringify({ payload: body, protected: head, signature }),
      "an encrypted token": encrypted(rsa, good),
      "a token in a token": craft({ ...header, cty: "JWT" }, good, by(rsa)),
    },
    "ECDSA signatures": {
      "zeros (psychic signature)": ecSigned(Buffer.alloc(64)),
      "zeros in DER": ecSigned(Buffer.from("3006020100020100", "hex")),
      "r and s of the order": ecSigned(
        Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".repeat(2), "hex"),
      ),
      "a byte too few": ecSigned((by(ec)("") as Buffer).subarray(0, 63)),
      "a byte too many": craft(ecHeader, claims, (input) => Buffer.concat([by(ec)(input) as Buffer, Buffer.alloc(1)])),
      "of an empty text": ecSigned(by(ec)("") as Buffer),
    },
    "in Authorization": {
      "a no-break space before the token": authorization(`Bearer \xa0${good}`),
      "a no-break space behind it": authorization(`Bearer ${good}\xa0`),
      "a tab for the space": authorization(`Bearer\t${good}`),
      "a space in the token": authorization(`Bearer ${head}. ${body}.${signature}`),
      "a zero-width space": authorization(`Bearer ${head}\xe2\x80\x8b.${body}.${signature}`),
      "a full-width dot": authorization(`Bearer ${head}\xef\xbc\x8e${body}.${signature}`),
      "a colon behind the scheme": authorization(`Bearer: ${good}`),
      "Bearer twice": authorization(`Bearer Bearer ${good}`),
      "no scheme": authorization(good),
      "another scheme": authorization(`Token ${good}`),
      "as Basic": authorization(`Basic ${Buffer.from(`ada:${good}`).toString("base64")}`),
      "in quotes": authorization(`Bearer "${good}"`),
      "two in one field": authorization(`Bearer ${good}, Bearer ${good}`),
      "two schemes in one field": authorization(`Bearer ${good}, Basic eDp5`),
      "a parameter behind it": authorization(`Bearer ${good}; alg=none`),
      "only the scheme": authorization("Bearer"),
      "an empty token": authorization("Bearer "),
    },
    "in places that nobody looks at": {
      "the query": { target: `/shop/x?access_token=${good}&token=${good}&jwt=${good}` },
      "a cookie": request("Cookie", `token=${good}; access_token=${good}; __session=${good}`),
      "the body": {
        method: "POST",
        target: "/shop/x",
        headers: ["Content-Type", "application/x-www-form-urlencoded"],
        body: `access_token=${good}`,
      },
      "X-Access-Token": request("X-Access-Token", good, "X-Authorization", `Bearer ${good}`, "Token", good),
      "Proxy-Authorization": request("Proxy-Authorization", `Bearer ${good}`),
      "a name that CGI would take for Authorization": request(
        "HTTP_AUTHORIZATION",
        `Bearer ${good}`,
        "Authorization_",
        `Bearer ${good}`,
      ),
      "fields that name the caller": request(
        "X-Gateway-Consumer",
        "web:ada",
        "X-Forwarded-User",
        "ada",
        "X-User-Email",
        "ada@shop.example",
      ),
      "fields that have passed a check elsewhere": request(
        "X-Gateway-Plan",
        good,
        "X-Middleware-Subrequest",
        "middleware:middleware:middleware",
      ),
    },
  };
}

async function encrypted({ jwk }: SigningKey, token: string): Promise<string> {
  const key = await importJWK({ ...jwk, alg: "RSA-OAEP-256", use: "enc" }, "RSA-OAEP-256");
  return new CompactEncrypt(Buffer.from(token))
    .setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM", cty: "JWT" })
    .encrypt(key);
}

/** Spellings of a protected path, sent without a token. */
export const SPELLINGS = [
  "/shop",
  "/shop/",
  "/shop/x",
  "/shop/x/",
  "/%73hop/x",
  "/s%68op/%78",
  "/%2573hop/x",
  "/SHOP/x",
  "/Shop/x",
  "//shop/x",
  "/shop//x",
  "/./shop/x",
  "/shop/./x",
  "/open/../shop/x",
  "/open/%2e%2e/shop/x",
  "/open/.%2e/shop/x",
  "/open/..%2fshop/x",
  "/open/..%5cshop/x",
  "/open/..;/shop/x",
  "/open\\..\\shop/x",
  "/shop;a=b/x",
  "/shop/x;a=b",
  "/;/shop/x",
  "/shop%2Fx",
  "/shop%5Cx",
  "/shop%00/x",
  "/shop/x%00",
  "/shop%20/x",
  "/shop./x",
  "/shop%c0%afx",
  "/shop/x?auth=none",
  "/shop/x?/open/",
  "http://gateway.example/shop/x",
  "http://gateway.example//shop/x",
  "/shop/x.rsc",
  "/shop/x.json",
  "/_next/data/build/shop/x.json",
] as const;
