/** RFC 9728 from a client's side: a 401, the document that it names, and the issuer in it. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

const ORIGIN = "https://api.shop.example";

describeHosts(
  import.meta.dirname,
  (flow) => {
    test("a client without a token finds out whom to ask", async () => {
      const refused = await flow.send({ target: "/orders/7?x=1", headers: ["Host", "evil.example"] });
      expect(refused).toMatchObject({ status: 401, received: undefined });
      const address = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate")!)![1]!;
      expect(address.startsWith(`${ORIGIN}/`)).toBe(true);
      const { status, text, headers, received } = await flow.send(address.slice(ORIGIN.length));
      expect({ status, received }).toEqual({ status: 200, received: undefined });
      expect(headers.get("content-type")).toBe("application/json");
      expect(JSON.parse(text)).toEqual({
        resource: `${ORIGIN}/orders/7`,
        authorization_servers: ["https://login.shop.example"],
        bearer_methods_supported: ["header"],
        scopes_supported: ["orders:read"],
      });
    });

    test("of the whole gateway", async () => {
      const { text } = await flow.send("/.well-known/oauth-protected-resource");
      expect(JSON.parse(text)).toMatchObject({ resource: ORIGIN, authorization_servers: ["https://login.shop.example"] });
    });

    test("everything else below /.well-known is the backend's", async () => {
      for (const target of [
        "/.well-known/security.txt",
        "/.well-known/oauth-protected-resource/open",
        "/.well-known/oauth-protected-resources",
        "/.well-known/oauth-authorization-server",
      ])
        expect((await flow.send(target)).received?.target).toBe(target);
    });
  },
  () => ({ GATEWAY_URL: ORIGIN }),
);
