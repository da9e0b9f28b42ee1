/** Where the Node host listens; what is wrong with HOST or PORT is told as a fault of that variable. */
import type { Server } from "node:net";
import { ConfigError } from "../../config/issue.ts";

export interface Address {
  readonly port: number;
  readonly host: string;
  /** How many ports after this one may take its place where it is taken. */
  readonly spare: number;
}

/** Throws a ConfigError where nothing can listen there. */
export async function listen(server: Server, { port, host, spare }: Address): Promise<void> {
  for (let next = port; ; next++) {
    const error = await tryListen(server, next, host);
    if (!error) return;
    if (error.code !== "EADDRINUSE" || next - port >= spare) throw faultOf(error, port, host);
  }
}

function tryListen(server: Server, port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(error);
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve(undefined);
    });
  });
}

function faultOf({ code, message }: NodeJS.ErrnoException, port: number, host: string): ConfigError {
  const fault = (path: string, text: string, fix?: string) =>
    new ConfigError([{ rule: "variable-value", severity: "error", path, message: text, fix }], "environment");
  switch (code) {
    case "EADDRINUSE":
      return fault("PORT", `port ${port} is taken.`, "Set PORT to another.");
    case "EACCES":
      return fault(
        "PORT",
        `this user may not listen on port ${port}.`,
        "Ports below 1024 often need rights; set PORT to another.",
      );
    default: {
      const fix = host.startsWith("[")
        ? "An IPv6 address goes without brackets."
        : "Set HOST to an address of this machine, such as 127.0.0.1.";
      return fault("HOST", `nothing can listen on ${JSON.stringify(host)}: ${code ?? message}.`, fix);
    }
  }
}
