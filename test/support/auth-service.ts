/** A service that says who calls, as oauth2-proxy does: on loopback; it counts who asks, and answers as a test says. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface AuthService {
  readonly url: string;
  /** What it was asked, in order. */
  readonly asked: Asked[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): void;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Name, value, name, value, as they came. */
  readonly headers: readonly string[];
  readonly body: string;
}

export async function startAuthService(): Promise<AuthService> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    service.asked.push({
      method: request.method!,
      path: request.url!,
      headers: request.rawHeaders,
      body: Buffer.concat(chunks).toString(),
    });
    service.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const service: AuthService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer: answerAsService,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return service;
}

/** Lets in who brings "Bearer ada" or the cookie sid=ada, refuses bob, and sends browsers that ask for /start to log in. */
export function answerAsService({ headers }: IncomingMessage, response: ServerResponse): void {
  const who = /^Bearer (\w+)$/.exec(headers.authorization ?? "")?.[1] ?? /(?:^|; )sid=(\w+)/.exec(headers.cookie ?? "")?.[1];
  if (who === "bob") response.writeHead(403);
  else if (who === "ada") {
    response.writeHead(202, [
      ...["x-auth-request-user", "ada", "x-auth-request-email", "ada@shop.example"],
      ...["x-auth-request-groups", "staff, Domain Users", "x-scopes", "orders:read orders:write", "x-tier", "pro"],
    ]);
  } else if (String(headers["x-forwarded-uri"]).startsWith("/start"))
    response.writeHead(302, { location: "https://login.example/?rd=start", "set-cookie": "csrf=1; HttpOnly" });
  else response.writeHead(401);
  response.end();
}
