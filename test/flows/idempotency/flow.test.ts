/** One key, one execution: on two hosts with one real Redis at once, across hosts, and for callers who break off. */
import { randomUUID } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";
import { RawConnection, type RawRequest, requestBytes } from "../../support/raw-client.ts";
import { startUpstash } from "../../support/redis/upstash-under-test.ts";
import { until } from "../../support/until.ts";

const upstash = await startUpstash();
afterAll(() => upstash.stop());
const environment = {
  ADA_PASSWORD: "ada's own",
  BOB_PASSWORD: "bob's own",
  UPSTASH_REDIS_REST_URL: upstash.bridge.url,
  UPSTASH_REDIS_REST_TOKEN: upstash.bridge.token,
  // What is not about outages must not meet one on a busy machine.
  GATEWAY_STORE_BUDGET: "10s",
};

const credentials = (user: string) => Buffer.from(`${user}:${user}'s own`).toString("base64");
const post = (key: string, more: Partial<RawRequest> & { readonly user?: string } = {}): RawRequest => {
  const { user = "ada", ...rest } = more;
  const headers = ["authorization", `Basic ${credentials(user)}`, "content-type", "application/json", "idempotency-key", key];
  return { method: "POST", target: "/payments", body: '{"amount":10}', headers, ...rest };
};

describeHosts(
  import.meta.dirname,
  (flow) => {
    test("of fifty requests with one key, on both hosts at once, one is carried out", async () => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      let executions = 0;
      flow.backend.on("/payments", async (_, response) => {
        executions += 1;
        await gate;
        response.writeHead(201, { "content-type": "application/json" }).end(`{"payment":${executions}}`);
      });
      const key = randomUUID();
      const answers = Array.from({ length: 50 }, (_, index) => flow.sendTo(HOST_NAMES[index % 2]!, post(key)));
      // The one that is carried out is held until all others were told so.
      let refused = 0;
      for (const answer of answers) void answer.then(({ status }) => (refused += status === 409 ? 1 : 0));
      await until(() => refused === 49, "49 refusals");
      open();
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      for (const name of HOST_NAMES) {
        const again = await until(async () => {
          const answer = await flow.sendTo(name, post(key));
          return answer.status === 409 ? undefined : answer;
        }, "the answer that was kept");
        expect([again.status, again.text, again.headers.get("idempotency-replayed")]).toEqual([201, '{"payment":1}', "true"]);
      }
      expect(executions).toBe(1);
    });

    test.each([
      ["node", "vercel"],
      ["vercel", "node"],
    ] as const)("what %s has carried out, %s does not", async (first, second) => {
      flow.backend.on("/payments", ({ body }, response) => {
        response.writeHead(201, ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "X-Tag", "one", "X-Tag", "two"]).end(body);
      });
      const key = randomUUID();
      const made = await flow.sendTo(first, post(key));
      expect([made.status, made.headers.all("set-cookie").length, made.received?.headers.get("idempotency-key")]).toEqual([
        201,
        2,
        key,
      ]);
      const again = await until(async () => {
        const answer = await flow.sendTo(second, post(key));
        return answer.status === 409 ? undefined : answer;
      }, "the answer that was kept");
      expect([again.status, again.text, again.received]).toEqual([201, '{"amount":10}', undefined]);
      expect(again.headers.all("x-tag").join(", ")).toBe("one, two");
      expect(again.headers.has("set-cookie")).toBe(false);
      expect((await flow.sendTo(second, post(key, { body: '{"amount":11}' }))).status).toBe(422);
      expect((await flow.sendTo(second, post(key, { user: "bob" }))).received).toBeDefined();
    });

    test("what is wrong with a key is told alike", async () => {
      for (const [key, code] of [
        ["", "idempotency-key-invalid"],
        ['"a", "b"', "idempotency-key-invalid"],
        ["two words", "idempotency-key-invalid"],
      ]) {
        const answer = await flow.send(post(key!));
        expect([answer.status, answer.headers.get("x-gateway-error"), answer.received]).toEqual([400, code, undefined]);
      }
      const without = { method: "POST", target: "/payments", headers: ["authorization", `Basic ${credentials("ada")}`] };
      expect((await flow.send(without)).headers.get("x-gateway-error")).toBe("idempotency-key-missing");
      const short = await flow.send(post("short", { target: "/open" }));
      expect(short.headers.get("x-gateway-error")).toBe("idempotency-key-invalid");
      expect(JSON.parse(short.text).detail).toContain("at least 16");
    });

    test("a body that is too large to be held is refused with a key, and streams on where none is needed", async () => {
      const body = "x".repeat(1025);
      expect((await flow.send(post(randomUUID(), { body }))).headers.get("x-gateway-error")).toBe("payload-too-large");
      const plain = { method: "POST", target: "/else", headers: ["authorization", `Basic ${credentials("ada")}`] };
      const large = "x".repeat(2 * 1024 * 1024);
      expect((await flow.send({ ...plain, body: large })).received?.body.length).toBe(large.length);
    });

    test("a default does nothing for callers whom nobody knows", async () => {
      const key = randomUUID();
      for (let i = 0; i < 2; i++) expect((await flow.send(post(key, { target: "/none" }))).received).toBeDefined();
    });

    test.each(HOST_NAMES)("a caller who broke off finds the answer (%s)", async (name) => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      let executions = 0;
      flow.backend.on("/payments", async (_, response) => {
        executions += 1;
        await gate;
        response.writeHead(201).end("made");
      });
      const key = randomUUID();
      const connection = await RawConnection.open(flow.host(name).port);
      connection.write(requestBytes(post(key)));
      await until(() => executions === 1, "the request at the backend");
      connection.close();
      expect((await flow.sendTo(name, post(key))).status).toBe(409);
      open();
      const again = await until(async () => {
        const answer = await flow.sendTo(name, post(key));
        return answer.status === 409 ? undefined : answer;
      }, "the answer");
      expect([again.status, again.text, executions]).toEqual([201, "made", 1]);
    });
  },
  () => environment,
);
