/** A token and all of a user's, taken back through the admin API while both hosts have them in memory, on one real Redis. */
import { afterAll, describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES, type HostName } from "../../support/host-process.ts";
import { signWithSecret } from "../../support/issuer.ts";
import { sendRaw } from "../../support/raw-client.ts";
import { startUpstash, type UpstashUnderTest } from "../../support/redis/upstash-under-test.ts";
import { until } from "../../support/until.ts";

const upstash: UpstashUnderTest = await startUpstash();
afterAll(() => upstash.stop());
const SECRET = "0123456789abcdef0123456789abcdef";

describeHosts(
  import.meta.dirname,
  (flow) => {
    const sign = (claims: object) => signWithSecret({ aud: "shop", ...claims }, SECRET);
    const request = (token: string) => ({ target: "/orders", headers: ["authorization", `Bearer ${token}`] });
    /** A busy machine can be too slow for the store's budget of 80 ms: that is told as 503, and asked again. */
    const statusOn = (name: HostName, token: string) =>
      until(async () => {
        const { status } = await flow.sendTo(name, request(token));
        return status === 503 ? undefined : status;
      }, "the store to answer in time");
    const administer = (name: HostName, method: string, path: string, body?: object) =>
      until(async () => {
        const { port } = flow.host(name);
        const headers = ["authorization", `Bearer ${ADMIN_TOKEN}`, "content-type", "application/json"];
        const sent = body === undefined ? {} : { body: JSON.stringify(body) };
        const answer = await sendRaw(port, { method, target: `/gateway/api/${path}`, headers, ...sent });
        return answer.status === 503 ? undefined : { status: answer.status, text: answer.body.toString("utf8") };
      }, "the store to answer in time");

    describe.each(HOST_NAMES)("revoked on %s", (name) => {
      const other = HOST_NAMES.find((one) => one !== name)!;

      test("one token, which both had remembered; the user's others go on, and so does it once that is undone", async () => {
        const [stolen, kept] = await Promise.all([sign({ jti: `stolen-${name}` }), sign({ jti: `kept-${name}` })]);
        for (const host of HOST_NAMES) expect([await statusOn(host, stolen), await statusOn(host, kept)]).toEqual([200, 200]);
        const revoked = await administer(name, "POST", "revocations", { jti: `stolen-${name}` });
        expect(revoked.status).toBe(201);
        for (const host of [name, other])
          await until(async () => (await statusOn(host, stolen)) === 401, `the revocation to reach ${host}`);
        const refused = await flow.send(request(stolen));
        expect(refused).toMatchObject({ status: 401, received: undefined });
        expect(refused.headers.get("www-authenticate")).toContain('error="invalid_token"');
        for (const host of HOST_NAMES) expect(await statusOn(host, kept)).toBe(200);

        const { id } = JSON.parse(revoked.text) as { id: string };
        expect((await administer(other, "DELETE", `revocations/${id}`)).status).toBe(204);
        for (const host of HOST_NAMES)
          await until(async () => (await statusOn(host, stolen)) === 200, `${host} to take it again`);
      });

      test("all of a user", async () => {
        const sub = `user of ${name}`;
        const tokens = await Promise.all([sign({ sub }), sign({ sub, jti: `another-${name}` })]);
        for (const token of tokens) for (const host of HOST_NAMES) expect(await statusOn(host, token)).toBe(200);
        await administer(name, "POST", "revocations", { sub });
        for (const token of tokens)
          for (const host of HOST_NAMES) await until(async () => (await statusOn(host, token)) === 401, `it to reach ${host}`);
        expect(await statusOn(name, await sign({ sub: `another than ${sub}` }))).toBe(200);
      });
    });

    test("on the Node host it bites with the next request", async () => {
      const token = await sign({ jti: "at-once" });
      expect(await statusOn("node", token)).toBe(200);
      await administer("node", "POST", "revocations", { jti: "at-once" });
      expect(await statusOn("node", token)).toBe(401);
    });
  },
  () => ({
    UPSTASH_REDIS_REST_URL: upstash.bridge.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.bridge.token,
    JWT_SECRET: SECRET,
  }),
);
