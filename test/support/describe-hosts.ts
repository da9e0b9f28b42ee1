/** A flow: one config, one backend, both hosts. What a flow sends goes to both through the comparator. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, type ReceivedRequest, startBackend } from "./backend.ts";
import { compareHosts, type Observed } from "./comparator.ts";
import { HOST_NAMES, type HostName, type HostProcess, startHost } from "./host-process.ts";
import { type RawAnswer, type RawRequest, sendRaw } from "./raw-client.ts";

export interface FlowAnswer extends RawAnswer {
  readonly text: string;
  /** What the backend got for it; undefined where nothing reached one. */
  readonly received: ReceivedRequest | undefined;
}

export interface Flow {
  /** Its address is `${env.BACKEND_URL}` in the flow's config. */
  readonly backend: Backend;
  host(name: HostName): HostProcess;
  /** Sends to both hosts, fails where they differ, and gives what the Node host made of it. */
  send(request: RawRequest | string): Promise<FlowAnswer>;
  /** Sends to one. */
  sendTo(name: HostName, request: RawRequest | string): Promise<FlowAnswer>;
}

/** `folder` holds the flow's gateway.config.*; `env` gives further variables, once the backend has its address. */
export function describeHosts(
  folder: string,
  body: (flow: Flow) => void,
  env: (backend: Backend) => Record<string, string> = () => ({}),
): void {
  const hosts = new Map<HostName, HostProcess>();
  let backend: Backend;

  describe(`on both hosts: ${configIn(folder).split("/").slice(-2).join("/")}`, () => {
    beforeAll(async () => {
      backend = await startBackend();
      const variables = { BACKEND_URL: backend.url, ...env(backend) };
      await Promise.all(
        HOST_NAMES.map(async (name) => hosts.set(name, await startHost(name, { config: configIn(folder), env: variables }))),
      );
    });
    afterAll(async () => {
      await Promise.all([...hosts.values()].map((host) => host.stop()));
      backend?.close();
    });
    body(flow);
  });

  const flow: Flow = {
    get backend() {
      return backend;
    },
    host: (name) => hosts.get(name)!,
    sendTo: async (name, request) => withText(await observe(hosts.get(name)!, backend, request)),
    async send(request) {
      const node = await observe(hosts.get("node")!, backend, request);
      const vercel = await observe(hosts.get("vercel")!, backend, request);
      expect(compareHosts(node, vercel), "the hosts differ").toEqual([]);
      return withText(node);
    },
  };
}

/** A test that a client of one host at a time must make, such as one that breaks a connection. */
export function onEachHost(name: string, flow: Flow, body: (host: HostProcess) => Promise<void>): void {
  test.each(HOST_NAMES)(`${name} (%s)`, (host) => body(flow.host(host)));
}

async function observe({ port }: HostProcess, backend: Backend, request: RawRequest | string): Promise<Observed> {
  const before = backend.requests.length;
  const answer = await sendRaw(port, typeof request === "string" ? { target: request } : request);
  return { answer, received: backend.requests.slice(before) };
}

function withText({ answer, received }: Observed): FlowAnswer {
  return { ...answer, text: answer.body.toString("utf8"), received: received.at(-1) };
}

export function configIn(folder: string): string {
  const file = readdirSync(folder).find((name) => name.startsWith("gateway.config."));
  if (!file) throw new Error(`there is no gateway.config.* in ${folder}`);
  return join(folder, file);
}
