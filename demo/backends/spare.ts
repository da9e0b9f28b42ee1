/** One of two equal services: each answer names the one that gave it. `POST /off` makes it fail until `POST /on`. */
import { createServer, type Server } from "node:http";
import { answerJson } from "./answer.ts";

export function createSpare(name: string): Server {
  let isOn = true;
  return createServer((request, response) => {
    const path = new URL(request.url!, "http://spare").pathname;
    if (request.method === "POST" && (path === "/on" || path === "/off")) {
      isOn = path === "/on";
      answerJson(response, 200, { name, isOn });
    } else if (isOn) answerJson(response, 200, { name, path });
    else answerJson(response, 503, { name, error: "switched off" });
  });
}
