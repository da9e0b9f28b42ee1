/** The reference, 1.0: the reverse proxy that one writes with node:http and nothing else. `BACKEND=http://… PORT=… node node-proxy.mjs` */
import http from "node:http";

const backend = new URL(process.env.BACKEND);
const agent = new http.Agent({ keepAlive: true });
/** RFC 9110 section 7.6.1. */
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

function endToEnd(headers) {
  const kept = { ...headers };
  for (const name of HOP_BY_HOP) delete kept[name];
  return kept;
}

const server = http.createServer((request, response) => {
  const forwarded = http.request(
    {
      agent,
      host: backend.hostname,
      port: backend.port,
      method: request.method,
      path: request.url,
      headers: { ...endToEnd(request.headers), host: backend.host, "x-forwarded-for": request.socket.remoteAddress },
    },
    (answer) => {
      response.writeHead(answer.statusCode, endToEnd(answer.headers));
      answer.pipe(response);
    },
  );
  forwarded.on("error", () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  });
  response.on("close", () => forwarded.destroy());
  request.pipe(forwarded);
});
server.listen(Number(process.env.PORT), "127.0.0.1");
