/** A call of the admin API from the browser: same origin, with the session's cookie. */
export interface ApiAnswer {
  /** The answer's members; empty where it has none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** What went wrong, for people. Undefined: nothing. */
  readonly fault: string | undefined;
}

export async function callApi(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
  try {
    const answer = await fetch(`/gateway/api/${path}`, {
      method,
      ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const read = (text === "" ? {} : JSON.parse(text)) as ApiAnswer["body"];
    return { body: read, fault: answer.ok ? undefined : faultOf(answer.status, read) };
  } catch (error) {
    return { body: {}, fault: `The gateway did not answer: ${error instanceof Error ? error.message : error}` };
  }
}

/** A problem (RFC 9457); a body with faults names each. */
function faultOf(status: number, { title, detail, errors }: ApiAnswer["body"]): string {
  if (status === 401) return "The session has ended. Load the page again to sign in.";
  if (Array.isArray(errors))
    return errors.map(({ pointer, detail }: { pointer: string; detail: string }) => `${pointer.slice(1)}: ${detail}`).join("; ");
  return String(detail ?? title ?? `The gateway answered ${status}.`);
}
