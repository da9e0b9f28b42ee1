/** How every sample backend answers: JSON, with its own name in a header. */
import type { ServerResponse } from "node:http";

export function answerJson(response: ServerResponse, status: number, value: unknown, fields: Record<string, string> = {}): void {
  const body = `${JSON.stringify(value)}\n`;
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...fields })
    .end(body);
}
