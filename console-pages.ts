/** The console's pages on the Node host: Next, loaded when the first page is asked for, and only for pages. */
import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface ConsolePages {
  serve(request: IncomingMessage, response: ServerResponse): void;
}

export interface ConsolePagesOptions {
  /** The project's root. */
  readonly dir: string;
  /** The build in it: `.next`. Without one, and not in development, pages answer what to do. */
  readonly build: string;
  readonly dev: boolean;
}

export function createConsolePages(options: ConsolePagesOptions): ConsolePages {
  const { dir, build, dev } = options;
  let handler: Promise<Handler> | undefined;
  return {
    serve(request, response) {
      if (!dev && !existsSync(join(dir, build, "BUILD_ID"))) {
        response.writeHead(503, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "retry-after": "5" });
        response.end("The console's pages are not built yet. Run `npm run build`; the gateway itself does not need it.\n");
        return;
      }
      handler ??= loadNext(options);
      handler.then(
        (handle) => handle(request, response),
        (error: Error) => {
          handler = undefined;
          response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
          response.end("The console's pages could not be loaded.\n");
          console.error(error);
        },
      );
    },
  };
}

async function loadNext({ dir, build, dev }: ConsolePagesOptions): Promise<Handler> {
  process.env.NEXT_TELEMETRY_DISABLED ??= "1";
  const { default: next } = await import("next");
  if (!dev) {
    // As Next's own standalone server does: the config as built. Loading next.config.ts again would look for what it imports in
    // the working directory, and for variables that only a build needs.
    const built = JSON.parse(await readFile(join(dir, build, "required-server-files.json"), "utf8")) as { config: unknown };
    process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify(built.config);
  }
  // Without an emitter of its own Next listens for upgrades on whatever server it finds.
  const app = next({
    dir,
    dev,
    quiet: true,
    hostname: "localhost",
    port: 0,
    httpServer: new EventEmitter() as never,
  });
  await app.prepare();
  return app.getRequestHandler();
}
