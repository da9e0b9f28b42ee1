/** GET /gateway/metrics on both hosts: who may read it, in which format, and that it counts what was sent. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES } from "../../support/host-process.ts";

const METRICS_TOKEN = "a-token-for-the-scraper-0123";

describeHosts(
  import.meta.dirname,
  (flow) => {
    const scraper = ["authorization", `Bearer ${METRICS_TOKEN}`];

    test("strangers see nothing", async () => {
      expect((await flow.send("/gateway/metrics")).status).toBe(401);
      expect((await flow.send({ target: "/gateway/metrics", headers: ["authorization", "Bearer wrong"] })).status).toBe(401);
    });

    test("the scraper's token opens the metrics and nothing else", async () => {
      expect((await flow.sendTo("node", { target: "/gateway/metrics", headers: scraper })).status).toBe(200);
      expect((await flow.send({ target: "/gateway/api/overview", headers: scraper })).status).toBe(401);
      expect((await flow.send({ method: "POST", target: "/gateway/metrics", headers: scraper })).status).toBe(405);
    });

    // Without Redis the two halves on Vercel count apart: test/hosts/observed.test.ts has them with it.
    test("refusals by code", async () => {
      await flow.sendTo("node", "/limited");
      await flow.sendTo("node", "/limited");
      const { text } = await flow.sendTo("node", { target: "/gateway/metrics", headers: scraper });
      expect(text).toContain('frontdesk_refusals_total{http_route="/limited",code="rate-limited"} 1\n');
    });

    describe.each(HOST_NAMES)("%s", (host) => {
      const scrape = (headers: readonly string[] = []) =>
        flow.sendTo(host, { target: "/gateway/metrics", headers: [...scraper, ...headers] });
      async function sampleOf(series: string): Promise<number> {
        const { text } = await scrape();
        const line = text.split("\n").find((one) => one.startsWith(`${series} `));
        return line === undefined ? 0 : Number(line.slice(series.length + 1));
      }

      test("requests by route and status, attempts by target", async () => {
        const requests =
          'frontdesk_requests_total{http_route="/orders/:id",http_request_method="GET",http_response_status_code="200",source="backend"}';
        const before = await sampleOf(requests);
        for (let i = 0; i < 5; i++) await flow.sendTo(host, `/orders/${i}`);
        expect((await sampleOf(requests)) - before).toBe(5);
        const target = new URL(flow.backend.url).host;
        const attempts = `http_client_request_duration_seconds_count{server_address="${target}",status_class="2xx"}`;
        expect(await sampleOf(attempts)).toBeGreaterThanOrEqual(5);
      });

      test("the format that is asked for", async () => {
        expect((await scrape()).headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
        const open = await scrape(["accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"]);
        expect(open.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
        expect(open.text).toMatch(/\n# EOF\n$/);
      });

      test("the operator may read them too", async () => {
        const headers = ["authorization", `Bearer ${ADMIN_TOKEN}`];
        expect((await flow.sendTo(host, { target: "/gateway/metrics", headers })).status).toBe(200);
      });
    });
  },
  () => ({ GATEWAY_METRICS_TOKEN: METRICS_TOKEN }),
);
