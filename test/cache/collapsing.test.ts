/** Many callers, one request to the backend; and what becomes of them where it goes wrong. */
import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();

/** The backend answers a path when it is told to. */
function held(path = "/"): { readonly answers: ServerResponse[]; next(): Promise<ServerResponse> } {
  const answers: ServerResponse[] = [];
  cached.backend.on(path, (_, response) => {
    response.setHeader("date", new Date(cached.nowMs).toUTCString());
    answers.push(response);
  });
  return { answers, next: () => until(() => answers.shift(), "a request at the backend") };
}

test("1,000 callers on one cold URL: the backend sees one request", async () => {
  const send = cached.route("1m");
  const backend = held();
  const callers = Array.from({ length: 1000 }, () => send());
  const answer = await backend.next();
  answer.write("first ");
  answer.end("second");
  const all = await Promise.all(callers);
  expect(all.every(({ text, status, isWhole }) => isWhole && status === 200 && text === "first second")).toBe(true);
  expect(cached.backend.requests).toHaveLength(1);
  expect(all.filter((each) => saidBy(each) === "fwd=uri-miss; stored")).toHaveLength(1);
  expect(all.filter((each) => saidBy(each) === "fwd=uri-miss; stored; collapsed")).toHaveLength(999);
  expect((await send()).record.source).toBe("cache");
});

test("who comes while it arrives gets it from its beginning", async () => {
  const send = cached.route("1m");
  const backend = held();
  const first = send();
  const answer = await backend.next();
  answer.write("begun ");
  await until(() => answer.headersSent, "the head");
  const second = send();
  answer.end("ended");
  expect((await Promise.all([first, second])).map(({ text }) => text)).toEqual(["begun ended", "begun ended"]);
  expect(cached.backend.requests).toHaveLength(1);
});

test("an answer that may not be shared: each asks by itself, and for a while nobody waits", async () => {
  const send = cached.route(true);
  const backend = held();
  const callers = ["1", "2", "3"].map(() => send());
  (await backend.next()).writeHead(200, { "cache-control": "private" }).end("own 1");
  for (const name of ["own 2", "own 3"]) (await backend.next()).writeHead(200, { "cache-control": "private" }).end(name);
  expect((await Promise.all(callers)).map(({ text }) => text).sort()).toEqual(["own 1", "own 2", "own 3"]);
  const later = [send(), send()];
  await until(() => backend.answers.length === 2, "both at once");
  for (const answer of backend.answers) answer.writeHead(200, { "cache-control": "private" }).end("x");
  await Promise.all(later);
});

test("who asks for another variant does not get this one", async () => {
  const send = cached.route("1m");
  cached.backend.on("/", ({ headers }, response) =>
    response.writeHead(200, { vary: "accept-language" }).end(headers.get("accept-language")),
  );
  const languages = ["de", "fr", "de", "it", "fr"];
  const all = await Promise.all(languages.map((language) => send({ headers: { "accept-language": language } })));
  expect(all.map(({ text }) => text)).toEqual(languages);
});

describe("where it breaks", () => {
  test("a backend that dies mid-fill leaves no broken entry, and nobody takes half for whole", async () => {
    const send = cached.route("1m");
    const backend = held();
    const callers = [send(), send()];
    const dying = await backend.next();
    dying.writeHead(200, { "content-length": "100" });
    await new Promise((written) => dying.write("half", written));
    dying.destroy();
    expect((await Promise.all(callers)).map(({ isWhole }) => isWhole)).toEqual([false, false]);
    const again = send();
    (await backend.next()).end("whole");
    expect((await again).text).toBe("whole");
  });

  test("also where its length was not stated", async () => {
    const send = cached.route("1m");
    const backend = held();
    const first = send();
    const dying = await backend.next();
    await new Promise((written) => dying.write("half", written));
    dying.destroy();
    expect((await first).isWhole).toBe(false);
    const again = send();
    (await backend.next()).end("whole");
    expect((await again).text).toBe("whole");
    expect((await send()).text).toBe("whole");
  });

  test("a backend that does not answer fails for all who wait, once", async () => {
    const send = cached.route("1m");
    const backend = held();
    const callers = [send(), send(), send()];
    (await backend.next()).destroy();
    const all = await Promise.all(callers);
    expect(all.map(({ status, record }) => [status, record.code])).toEqual(Array(3).fill([502, "backend-unreachable"]));
    expect(cached.backend.requests).toHaveLength(1);
  });

  test("a policy that throws fails each caller, and keeps nobody waiting", async () => {
    const broken = {
      name: "broken",
      cacheable: true,
      create: () => ({
        onRequest() {
          throw new Error("a bug");
        },
      }),
    };
    const send = cached.route("1m", { use: broken });
    for (let i = 0; i < 2; i++) expect((await send()).status).toBe(500);
  });

  test("the first caller goes: the others get their answer", async () => {
    const send = cached.route("1m");
    const backend = held();
    const leaving = new AbortController();
    const first = send({ signal: leaving.signal });
    const second = send();
    const answer = await backend.next();
    leaving.abort();
    answer.end("for those who stayed");
    expect((await first).record.aborted).toBe(true);
    expect((await second).text).toBe("for those who stayed");
  });

  test("all go: the backend hears of it, and nothing is stored", async () => {
    const send = cached.route("1m");
    const backend = held();
    const leaving = new AbortController();
    const callers = [send({ signal: leaving.signal }), send({ signal: leaving.signal })];
    const answer = await backend.next();
    answer.write("half");
    leaving.abort();
    await Promise.all(callers);
    const received = await cached.backend.last();
    await until(() => received.hungUp, "the backend to hear of it");
    const again = send();
    (await backend.next()).end("whole");
    expect((await again).text).toBe("whole");
  });
});

describe("a change while the answer is under way", () => {
  test("those who wait get it, and it is not stored", async () => {
    const send = cached.route("1m");
    const backend = held();
    const first = send();
    const before = await backend.next();
    const change = send({ method: "POST", body: "new" });
    (await backend.next()).end("changed");
    await change;
    before.end("from before");
    expect((await first).text).toBe("from before");
    const after = send();
    (await backend.next()).end("from after");
    expect((await after).text).toBe("from after");
  });
});
