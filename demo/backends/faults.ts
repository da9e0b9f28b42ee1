/** A service that fails on demand, in each way in which a backend can. */
import { createServer, type Server } from "node:http";
import { answerJson } from "./answer.ts";

export function createFaults(): Server {
  return createServer((request, response) => {
    const path = new URL(request.url!, "http://faults").pathname;
    const status = /^\/status\/([2-5]\d\d)$/.exec(path)?.[1];
    if (status) answerJson(response, Number(status), { status: Number(status), from: "the backend" });
    else if (path === "/reset") request.socket.resetAndDestroy();
    else if (path === "/truncate") {
      response.writeHead(200, { "content-type": "text/plain", "content-length": 1000 });
      response.write("The first words of a thousand bytes, and then", () => request.socket.destroy());
    } else if (path === "/garbage") request.socket.end("this is not HTTP\r\n\r\n");
    else if (path !== "/hang")
      answerJson(response, 404, { error: "there are /status/503, /hang, /reset, /truncate and /garbage" });
  });
}
