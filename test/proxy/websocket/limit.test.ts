/** A limit on what is under way at once counts conversations. */
import { expect, test } from "vitest";
import { sendRaw } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";
import { gateway, HANDSHAKE, opened, setUpConversations } from "./conversations.ts";

setUpConversations();

test("a conversation holds one of so many places for as long as it lasts", async () => {
  const client = await opened("/one/echo");
  const refused = await sendRaw(gateway.port, { target: "/one/echo", headers: HANDSHAKE });
  expect(refused.status).toBe(429);
  expect(refused.headers.get("ratelimit-policy")).toBe('"requests-at-once";q=1;qu="concurrent-requests"');
  client.close();
  await until(async () => {
    const [next] = await Promise.allSettled([opened("/one/echo")]);
    return next!.status === "fulfilled";
  }, "the place to be free");
});
