/** A bad day at any length: steady traffic to three targets, of which one after the other fails in each way and comes back. */

import { writeFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type HostName, type HostProcess, startHost, temporaryFolder } from "../support/host-process.ts";
import { until } from "../support/until.ts";
import { FlakyTarget, type Mood } from "./flaky-target.ts";

export interface BadDay {
  readonly host: HostName;
  readonly requestsPerSecond: number;
  readonly ailments: readonly Mood[];
  /** How long a target is ill, and how long it is watched once it is well again. */
  readonly illMs: number;
  readonly wellMs: number;
  /** All targets fail for so long at the end; 0 leaves it out. */
  readonly outageMs: number;
}

export interface Report {
  /** GETs whose answer had not begun before something failed, and those of them that were served whole. */
  readonly repeatable: number;
  readonly served: number;
  /** What the others got. */
  readonly failures: Readonly<Record<string, number>>;
  readonly posts: number;
  readonly postsExecutedTwice: number;
  readonly p99Ms: number;
  readonly returns: readonly Return[];
  /** Requests that reached a target for each that was sent, in the outage. */
  readonly amplification: number | undefined;
}

export interface Return {
  readonly ailment: Mood;
  /** From the end of the ailment to the target's first answer. */
  readonly afterMs: number;
  /** Of all that were served: in the first second of its return, and in the last second that it was watched. */
  readonly firstShare: number;
  readonly lastShare: number;
}

interface Sent {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly ms: number;
  readonly status: number;
  readonly isWhole: boolean;
}

const EVERY_FIFTH_IS_A_POST = 5;

export async function liveThrough(day: BadDay): Promise<Report> {
  const targets = [new FlakyTarget(), new FlakyTarget(), new FlakyTarget()];
  for (const target of targets) await target.listen();
  const config = join(temporaryFolder(), "gateway.config.json");
  writeFileSync(config, JSON.stringify(configFor(targets)));
  const gateway = await startHost(day.host, { config });
  const traffic = new Traffic(gateway, day.requestsPerSecond);
  // The budget of retries is earned by the traffic of 5 seconds.
  await wait(5_000);
  const returns: Return[] = [];
  for (const [index, ailment] of day.ailments.entries()) {
    const target = targets[index % targets.length]!;
    await target.fall(ailment);
    await wait(day.illMs);
    await target.fall("well");
    returns.push(await watchReturn(ailment, target, targets, day.wellMs));
  }
  const sentBefore = traffic.count;
  const arrivals = () => targets.reduce((sum, { arrived }) => sum + [...arrived.values()].reduce((a, b) => a + b, 0), 0);
  const arrivedBefore = arrivals();
  if (day.outageMs > 0) {
    const sentInHealth = traffic.sent.length;
    for (const target of targets) await target.fall("failing");
    await wait(day.outageMs);
    await traffic.stop();
    // What fails in the outage is not what the day is judged by.
    traffic.sent.length = sentInHealth;
  } else await traffic.stop();
  const amplification = day.outageMs > 0 ? (arrivals() - arrivedBefore) / (traffic.count - sentBefore) : undefined;
  await gateway.stop();
  for (const target of targets) target.close();
  return { ...judge(traffic.sent, targets), returns, amplification };
}

function configFor(targets: readonly FlakyTarget[]): object {
  const b = {
    targets: targets.map(({ url }) => url),
    timeout: { connect: "500ms", firstByte: "2s" },
    retry: { on: ["connect", 500, 502, 503, 504] },
    slowStart: "2s",
  };
  return { backends: { b }, routes: [{ path: "/*", backend: "b", auth: "none" }] };
}

async function watchReturn(ailment: Mood, target: FlakyTarget, all: readonly FlakyTarget[], wellMs: number): Promise<Return> {
  const wellSinceMs = performance.now();
  const firstMs = await until(() => target.servedAtMs.find((ms) => ms > wellSinceMs), "the target to be asked again");
  await wait(wellMs);
  const endMs = performance.now();
  const share = (fromMs: number) => {
    const counts = all.map(({ servedAtMs }) => servedAtMs.filter((ms) => ms >= fromMs && ms < fromMs + 1000).length);
    return (
      counts[all.indexOf(target)]! /
      Math.max(
        1,
        counts.reduce((sum, count) => sum + count, 0),
      )
    );
  };
  return { ailment, afterMs: firstMs - wellSinceMs, firstShare: share(firstMs), lastShare: share(endMs - 1000) };
}

/** Requests at a steady pace, whatever becomes of those before. */
class Traffic {
  readonly sent: Sent[] = [];
  count = 0;
  /** What has no answer yet, and since when. */
  readonly #pending = new Map<string, number>();
  readonly #gateway: HostProcess;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #timer: NodeJS.Timeout;

  constructor(gateway: HostProcess, perSecond: number) {
    this.#gateway = gateway;
    const startedMs = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startedMs) / 1000) * perSecond;
      while (this.count < due) this.#sendOne();
    }, 5);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await until(() => this.#pending.size === 0, "the last answers").catch(() => {
      const waiting = [...this.#pending].map(([path, sinceMs]) => `${path} for ${Math.round(performance.now() - sinceMs)} ms`);
      throw new Error(`no answer to ${waiting.join(", ")}`);
    });
    this.#agent.destroy();
  }

  #sendOne(): void {
    const method = this.count % EVERY_FIFTH_IS_A_POST === 0 ? "POST" : "GET";
    const path = `/${method}/${this.count++}`;
    const begunMs = performance.now();
    this.#pending.set(path, begunMs);
    let status = 0;
    let isOver = false;
    const end = (isWhole: boolean) => {
      if (isOver) return;
      isOver = true;
      this.#pending.delete(path);
      this.sent.push({ method, path, ms: performance.now() - begunMs, status, isWhole });
    };
    const request = httpRequest({ host: "127.0.0.1", port: this.#gateway.port, agent: this.#agent, path, method }, (response) => {
      status = response.statusCode!;
      response.resume();
      response.once("close", () => end(response.complete));
    });
    request.once("error", () => end(false));
    request.end(method === "POST" ? "once" : undefined);
  }
}

function judge(sent: readonly Sent[], targets: readonly FlakyTarget[]): Omit<Report, "returns" | "amplification"> {
  // Whether an answer had begun its target knows: Next may lose the head of one that breaks off.
  const hadBegun = (path: string) => targets.some(({ brokenOff }) => brokenOff.has(path));
  const repeatable = sent.filter(
    ({ method, path, status, isWhole }) => method === "GET" && (isWhole || (status !== 200 && !hadBegun(path))),
  );
  const failed = repeatable.filter(({ status, isWhole }) => status !== 200 || !isWhole);
  const posts = new Map<string, number>();
  for (const { arrived } of targets) {
    for (const [name, times] of arrived) if (name.startsWith("/POST/")) posts.set(name, (posts.get(name) ?? 0) + times);
  }
  const times = repeatable.map(({ ms }) => ms).sort((a, b) => a - b);
  const failures: Record<string, number> = {};
  for (const { status } of failed) failures[status] = (failures[status] ?? 0) + 1;
  return {
    repeatable: repeatable.length,
    served: repeatable.length - failed.length,
    failures,
    posts: posts.size,
    postsExecutedTwice: [...posts.values()].filter((times) => times > 1).length,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}
