/** A service that knows who is logged in: the gateway asks it (`forward`). The cookie `sid=ada-session` is Ada's. */
import { createServer, type Server } from "node:http";

const SESSIONS: Readonly<Record<string, string>> = { "ada-session": "ada", "bob-session": "bob" };

export function createSessions(): Server {
  return createServer(({ headers }, response) => {
    const user = SESSIONS[/^sid=([\w-]+)$/.exec(headers.cookie ?? "")?.[1] ?? ""];
    if (user === undefined) response.writeHead(401);
    else if (user === "bob" && headers["x-forwarded-uri"] === "/account") response.writeHead(403);
    else response.writeHead(204, { "x-auth-request-user": user, "x-auth-request-email": `${user}@shop.example` });
    response.end();
  });
}
