/** A service that answers with the request as it saw it: what the gateway made of yours. */
import { createServer, type Server } from "node:http";
import { answerJson } from "./answer.ts";

export function createEcho(): Server {
  return createServer((request, response) => {
    const { method, url: target, headers } = request;
    request.resume().on("end", () => answerJson(response, 200, { method, target, headers }, { "x-powered-by": "echo 1.0" }));
  });
}
