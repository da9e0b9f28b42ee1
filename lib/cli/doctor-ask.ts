/** One question of `frontdesk doctor`: a request that any frontend would hand on, and what came back of it, when. */
import { randomBytes } from "node:crypto";
import { digestOf, PAUSE_MS, type Seen, type SeenBackend } from "../admin/doctor.ts";
import { DOCTOR_HEADER, writePass } from "../admin/doctor-pass.ts";
import { VERSION } from "../admin/version.ts";

export interface Asked {
  readonly url: URL;
  /** Name, value: what was sent, in lower case, and must arrive. */
  readonly sent: ReadonlyMap<string, string>;
}

/** Nobody answered. */
export interface NoAnswer extends Asked {
  readonly kind: "none";
  readonly error: string;
}

/** Somebody else than the gateway's doctor answered. */
export interface OtherAnswer extends Asked {
  readonly kind: "other";
  readonly status: number;
  readonly headers: Headers;
}

export interface Heard extends Asked {
  readonly kind: "heard";
  readonly nonce: string;
  readonly seen: Seen;
  readonly backends: readonly SeenBackend[];
  readonly headers: Headers;
  /** Epoch milliseconds, by the clock of this machine. */
  readonly sentAt: number;
  readonly firstPartAt: number;
  readonly lastPartAt: number;
}

export type Reply = NoAnswer | OtherAnswer | Heard;

const TIMEOUT_MS = 20_000;
/** An answer that is none of ours is not read further. */
const MAX_BYTES = 1024 * 1024;

/**
 * `id` makes the address one that nobody else asks for: what a careless cache keeps of it meets no caller. `extra` is the operator's own:
 * a frontend may want a key to let anybody in.
 */
export async function ask(
  base: URL,
  id: string,
  key: Uint8Array,
  extra: readonly (readonly [string, string])[] = [],
): Promise<Reply> {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/frontdesk-doctor-${id}`;
  // A query that frontends like to spell anew.
  url.search = "?q=a%20b&flag";
  const nonce = randomBytes(16).toString("base64url");
  const sent = new Map([
    ["accept", "text/event-stream"],
    ["user-agent", `frontdesk-doctor/${VERSION}`],
    ["authorization", `Bearer frontdesk-doctor-${nonce}`],
    ["cookie", `frontdesk-doctor=${nonce}`],
    ["x-frontdesk-doctor", nonce],
    ...extra.map(([name, value]) => [name.toLowerCase(), value] as const),
  ]);
  const sentAt = Date.now();
  try {
    const answer = await fetch(url, {
      headers: [...sent, [DOCTOR_HEADER, writePass(key, nonce, sentAt)]],
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answered = await read(answer);
    return answered.kind === "other" ? { ...answered, url, sent } : { ...answered, url, sent, nonce, sentAt };
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    return { kind: "none", url, sent, error: cause?.code ?? cause?.message ?? message };
  }
}

type Read =
  | Pick<OtherAnswer, "kind" | "status" | "headers">
  | Pick<Heard, "kind" | "seen" | "backends" | "headers" | "firstPartAt" | "lastPartAt">;

async function read(answer: Response): Promise<Read> {
  const { status, headers, body } = answer;
  const other = { kind: "other", status, headers } as const;
  if (!body || !headers.get("content-type")?.startsWith("text/event-stream")) {
    await body?.cancel();
    return other;
  }
  const decoder = new TextDecoder();
  let text = "";
  let firstPartAt: number | undefined;
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n\n")) firstPartAt ??= Date.now();
    if (text.length > MAX_BYTES) return other;
  }
  const [seen, backends] = ["seen", "backends"].map((name) => eventIn(text, name));
  if (firstPartAt === undefined || !seen || !backends) return other;
  return { kind: "heard", headers, firstPartAt, lastPartAt: Date.now(), seen: seen as Seen, backends: backends as SeenBackend[] };
}

function eventIn(text: string, name: string): unknown {
  const data = new RegExp(`^event: ${name}\\ndata: (.*)$`, "m").exec(text)?.[1];
  try {
    return data === undefined ? undefined : JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** Whether the parts came one after the other. */
export function isStreamed({ firstPartAt, lastPartAt }: Pick<Heard, "firstPartAt" | "lastPartAt">): boolean {
  return lastPartAt - firstPartAt >= PAUSE_MS / 2;
}

/** Fields that did not arrive, and those that arrived with another value. */
export function changesIn({ sent, seen }: Pick<Heard, "sent" | "seen">): { readonly lost: string[]; readonly changed: string[] } {
  const arrived = new Map<string, string[]>();
  for (const [name, digest] of seen.headers) arrived.set(name, [...(arrived.get(name) ?? []), digest]);
  const names = [...sent.keys()];
  return {
    lost: names.filter((name) => !arrived.has(name)),
    changed: names.filter((name) => arrived.has(name) && !arrived.get(name)!.includes(digestOf(sent.get(name)!))),
  };
}
