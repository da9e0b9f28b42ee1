/**
 * Runs one built function as a small server: `node function-server.ts <folder>.func`. A middleware speaks web Requests
 * (`useWebApi`), a handler node:http; both launchers change into their own folder, so each gets a process.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const folder = process.argv[2]!;
const { handler, useWebApi } = JSON.parse(readFileSync(join(folder, ".vc-config.json"), "utf8")) as {
  handler: string;
  useWebApi?: boolean;
};
const launched: unknown = createRequire(join(folder, "/"))(join(folder, handler));

const server = createServer(
  useWebApi ? asListener(launched as (request: Request) => Promise<Response>) : (launched as RequestListener),
);
server.listen(0, "127.0.0.1", () => console.log(`function on port ${(server.address() as AddressInfo).port}`));

/** Without the body, as `skipMiddlewareRequestBody` has it. */
function asListener(serve: (request: Request) => Promise<Response>): RequestListener {
  return async (incoming: IncomingMessage, response: ServerResponse) => {
    const headers = new Headers();
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!);
    const answer = await serve(
      new Request(`http://${incoming.headers.host}${incoming.url}`, { method: incoming.method!, headers }),
    );
    response.writeHead(answer.status, [...answer.headers].flat());
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
}
