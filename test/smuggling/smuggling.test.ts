/** Every request of the corpus on a raw socket against the Node host; a recording backend judges what reaches it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HostProcess, startNodeHost, temporaryFolder } from "../support/host-process.ts";
import { type RawAnswer, RawConnection } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { CHUNK_CASES } from "./chunk-cases.ts";
import { FIELD_CASES } from "./field-cases.ts";
import { FRAMING_CASES } from "./framing-cases.ts";
import { HOST_CASES } from "./host-cases.ts";
import { type RecordedRequest, type RecordingBackend, startRecordingBackend } from "./recording-backend.ts";
import { REQUEST_LINE_CASES } from "./request-line-cases.ts";
import { CLOSED, type Passed, type SmugglingCase, type Verdict } from "./smuggling-case.ts";

const CORPUS: Record<string, readonly SmugglingCase[]> = {
  "Content-Length and Transfer-Encoding": FRAMING_CASES,
  chunks: CHUNK_CASES,
  "field lines": FIELD_CASES,
  "the request line": REQUEST_LINE_CASES,
  "the host": HOST_CASES,
};

let backend: RecordingBackend;
let host: HostProcess;

beforeAll(async () => {
  backend = await startRecordingBackend();
  const config = join(temporaryFolder(), "gateway.config.json");
  const routes = [
    { path: "/*", backend: "recorder", auth: "none" },
    { path: "/closed/*", respond: { status: 403 }, auth: "none" },
  ];
  writeFileSync(config, JSON.stringify({ backends: { recorder: backend.url }, routes }));
  host = await startNodeHost({ config });
});
afterAll(async () => {
  await host?.stop();
  backend?.close();
});

describe.each(Object.entries(CORPUS))("%s", (_, cases) => {
  test.each(cases)("$id: $tries", async ({ raw, verdict }) => {
    const { answers, closedByGateway } = await send(raw, verdict);
    const { requests, faults } = await whatReachedTheBackend();

    expect(faults).toEqual([]);
    expect(requests.filter(({ target }) => target.includes(CLOSED))).toEqual([]);
    expect(requests.map(({ method, target, body }) => ({ method, target, body }))).toEqual(
      passedBy(verdict).map(({ method, target, body }) => ({ method, target, body })),
    );
    for (const request of requests) expectWhatTheGatewaySays(request);
    for (const [index, { fields = {} }] of passedBy(verdict).entries()) {
      for (const [name, value] of Object.entries(fields)) expect(fieldOf(requests[index]!, name), name).toBe(value);
    }
    expect(answers.map(({ status }) => status)).toEqual(statusesOf(verdict));
    expect(closedByGateway).toBe(mustClose(verdict));
  });
});

test("the corpus is as large as it says, and no id stands twice", () => {
  const ids = Object.values(CORPUS).flatMap((cases) => cases.map(({ id }) => id));
  expect(ids.length).toBeGreaterThanOrEqual(100);
  expect(new Set(ids).size).toBe(ids.length);
});

function passedBy(verdict: Verdict): readonly Passed[] {
  return "passed" in verdict ? verdict.passed : [];
}

function mustClose(verdict: Verdict): boolean {
  return "refused" in verdict || "closes" in verdict;
}

function statusesOf(verdict: Verdict): number[] {
  if ("denied" in verdict) return [verdict.denied];
  const refusals = verdict.refused === undefined ? [] : [verdict.refused];
  return [...passedBy(verdict).map(() => 200), ...refusals];
}

/** How long a connection that should have been closed may stay open before the case has failed. */
const PATIENCE_MS = 10_000;

/** All answers up to the end of the connection, which is ours to close only where nothing was refused for its framing. */
async function send(raw: string, verdict: Verdict): Promise<{ answers: RawAnswer[]; closedByGateway: boolean }> {
  const connection = await RawConnection.open(host.port);
  const isHead = raw.startsWith("HEAD");
  const answers: RawAnswer[] = [];
  let closedByUs = false;
  const giveUp = () => {
    closedByUs = true;
    connection.socket.destroy();
  };
  const timer = setTimeout(giveUp, PATIENCE_MS);
  try {
    connection.write(Buffer.from(raw, "latin1"));
    for (;;) {
      if (!mustClose(verdict) && answers.length === statusesOf(verdict).length) {
        closedByUs = true;
        connection.socket.end();
      }
      const answer = await answerOf(connection, isHead);
      if (!answer) return { answers, closedByGateway: !closedByUs };
      answers.push(answer);
    }
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}

/** Undefined where the connection ended cleanly between two answers. */
async function answerOf(connection: RawConnection, isHead: boolean): Promise<RawAnswer | undefined> {
  try {
    return await connection.readAnswer(isHead ? "HEAD" : "GET");
  } catch (error) {
    if ((error as Error).message.endsWith('within a head: ""')) return undefined;
    throw error;
  }
}

/** A request of our own comes last, so that nothing of the case's can still be under way. */
async function whatReachedTheBackend(): Promise<ReturnType<RecordingBackend["take"]>> {
  const connection = await RawConnection.open(host.port);
  connection.write("GET /last HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n");
  await connection.readAnswer();
  connection.close();
  const { requests, faults } = backend.take();
  const last = await until(() => requests.findIndex(({ target }) => target === "/last") + 1, "the last request");
  return { requests: requests.toSpliced(last - 1, 1), faults };
}

/** However a request was written, the fields by which a backend trusts the gateway are the gateway's, once each. */
function expectWhatTheGatewaySays(request: RecordedRequest): void {
  expect(fieldOf(request, "host")).toBe(backend.host);
  expect(fieldOf(request, "x-forwarded-for")).toBe("127.0.0.1");
  expect(fieldOf(request, "x-forwarded-proto")).toBe("http");
  expect(fieldOf(request, "via")).toMatch(/^1\.1 frontdesk-[^,]*$/);
  expect(fieldOf(request, "x-request-id")).toMatch(/^[0-9a-f]+$/);
  expect(fieldOf(request, "x-gateway-consumer")).toBeUndefined();
}

/** By the name as CGI, WSGI and their kin read it: there `_` and `-` are one. */
function fieldOf({ fields }: RecordedRequest, name: string): string | undefined {
  const values = fields.filter(([spelled]) => spelled.toLowerCase().replaceAll("_", "-") === name).map(([, value]) => value);
  expect(values.length, `fields named ${name}`).toBeLessThanOrEqual(1);
  return values[0];
}
