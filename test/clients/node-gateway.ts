/** The Node host with a config of the test's own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HostProcess, startNodeHost, temporaryFolder } from "../support/host-process.ts";

export interface NodeGateway extends Pick<HostProcess, "port" | "stop"> {
  readonly url: string;
  /** Its process. */
  readonly pid: number;
}

/** `config` as in a gateway.config.json. */
export async function startNodeGateway(config: object, env: Readonly<Record<string, string>> = {}): Promise<NodeGateway> {
  const file = join(temporaryFolder(), "gateway.config.json");
  writeFileSync(file, JSON.stringify(config));
  const host = await startNodeHost({ config: file, env });
  return { port: host.port, url: `http://127.0.0.1:${host.port}`, pid: host.child.pid!, stop: () => host.stop() };
}
