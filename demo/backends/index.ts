/** The sample backends, on ports of this machine that happen to be free. Each has a variable that the demo's config refers to. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createCatalog } from "./catalog.ts";
import { createEcho } from "./echo.ts";
import { createFaults } from "./faults.ts";
import { createIssuer } from "./issuer.ts";
import { createSessions } from "./sessions.ts";
import { createSpare } from "./spare.ts";
import { createStreams } from "./streams.ts";

export interface Backends {
  /** Their addresses by the names of the variables. */
  readonly variables: Readonly<Record<string, string>>;
  close(): void;
}

export async function startBackends(): Promise<Backends> {
  const servers: Record<string, Server> = {
    DEMO_CATALOG_EU: createCatalog("eu"),
    DEMO_CATALOG_US: createCatalog("us"),
    DEMO_STREAMS: createStreams(),
    DEMO_FAULTS: createFaults(),
    DEMO_ECHO: createEcho(),
    DEMO_ISSUER: await createIssuer(),
    DEMO_SESSIONS: createSessions(),
    DEMO_SPARE_1: createSpare("spare-1"),
    DEMO_SPARE_2: createSpare("spare-2"),
  };
  const variables: Record<string, string> = {};
  for (const [name, server] of Object.entries(servers)) {
    await once(server.listen(0, "127.0.0.1"), "listening");
    variables[name] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  return {
    variables,
    close() {
      for (const server of Object.values(servers)) server.close().closeAllConnections();
    },
  };
}
