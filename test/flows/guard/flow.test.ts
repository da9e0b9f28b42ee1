/** Paths that can be read in two ways: refused by the strict guard, passed on byte for byte by the lenient one. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";

describeHosts(import.meta.dirname, (flow) => {
  describe("strict", () => {
    test.each([
      "/strict/a%2Fb",
      "/strict/a%5Cb",
      "/strict/a%00b",
      "/strict/a%0Ab",
      "/strict/..%2Fb",
      "/strict/%zz",
      "/strict/%c0%ae",
      "/strict/..;/b",
    ])("%s is refused", async (target) => {
      const answer = await flow.send(target);
      expect(answer).toMatchObject({ status: 400, received: undefined });
      expect(JSON.parse(answer.text)).toMatchObject({ code: "bad-request", instance: target });
    });

    // Next resolves dots and redirects empty segments and backslashes before anybody sees them: then what is left is decided.
    describe.each(HOST_NAMES)("on %s", (host) => {
      test.each(["/strict/../secret", "/strict/%2e%2e/secret", "/strict/./a", "/strict//a", "/strict/a\\b", "/strict/a//"])(
        "%s reaches no backend as it stands",
        async (target) => {
          const answer = await flow.sendTo(host, target);
          expect([200, 308, 400, 404]).toContain(answer.status);
          expect(answer.received?.target ?? "/strict/a").toBe("/strict/a");
        },
      );
    });

    test.each([
      "/strict/a%20b",
      "/strict/%C3%BC",
      "/strict/a;v=1",
      "/strict/a..b",
      "/strict/...",
      "/strict/a%2520b",
      "/strict/@:!$&'()*+,=~",
    ])("%s is plain and passes as it came", async (target) => {
      expect((await flow.send(target)).received!.target).toBe(target);
    });

    test("what stands in the query is the backend's business", async () => {
      expect((await flow.send("/strict/a?next=../../x//y%00")).received!.target).toBe("/strict/a?next=../../x//y%00");
    });
  });

  describe("encodedSlash: keep", () => {
    test("the slash goes on encoded", async () => {
      expect((await flow.send("/keep/a%2Fb/c")).received!.target).toBe("/files/a%2Fb/c");
    });

    test.each(["/keep/..%2Fsecret", "/keep/a%2F..%2Fsecret", "/keep/a%00"])("%s is refused all the same", async (target) => {
      expect(await flow.send(target)).toMatchObject({ status: 400, received: undefined });
    });
  });

  describe("lenient", () => {
    test.each(["/lenient/a%2Fb", "/lenient/a%5Cb", "/lenient/%00", "/lenient/..%2Fx", "/lenient/..;/x"])(
      "%s goes on byte for byte",
      async (target) => {
        expect((await flow.send(target)).received!.target).toBe(target);
      },
    );
  });
});
