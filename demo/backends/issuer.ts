/** An issuer of tokens: metadata, keys, and a token for whoever asks. `?sub=`, `?scope=` and `?age=` (seconds) say what is in it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export async function createIssuer(): Promise<Server> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: "demo", alg: "ES256", use: "sig" }];
  const server = createServer(async (request, response) => {
    const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { pathname, searchParams } = new URL(request.url!, own);
    const json = (value: object) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (pathname === "/.well-known/openid-configuration") json({ issuer: own, jwks_uri: `${own}/keys` });
    else if (pathname === "/keys") json({ keys });
    else {
      const now = Math.floor(Date.now() / 1000) - Number(searchParams.get("age") ?? 0);
      const token = await new SignJWT({ scope: searchParams.get("scope") ?? "" })
        .setProtectedHeader({ alg: "ES256", kid: "demo" })
        .setIssuer(own)
        .setAudience("demo")
        .setSubject(searchParams.get("sub") ?? "ada")
        .setIssuedAt(now)
        .setExpirationTime(now + 600)
        .sign(privateKey);
      response.writeHead(200, { "content-type": "text/plain" }).end(token);
    }
  });
  return server;
}
