/** For each test of the file that imports this: two new targets, which keep what reaches them, and the host that it starts in front. */
import { afterEach, beforeEach } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { startTrafficHost, type TrafficHost } from "./traffic-host.ts";

export let one: Backend;
export let two: Backend;
export let host: TrafficHost | undefined;
beforeEach(async () => {
  [one, two] = await Promise.all([startBackend(), startBackend()]);
});
afterEach(() => {
  for (const each of [one, two, host]) each?.close();
  host = undefined;
});

/** With one route, for all paths. */
export async function gateway(backend: object, route: object = {}): Promise<TrafficHost> {
  host = await startTrafficHost({ backends: { b: backend }, routes: [{ path: "/*", backend: "b", ...route }] });
  return host;
}

export const counts = () => [one.requests.length, two.requests.length];
