/** What a case asks for, read as strictly as a backend would: so many answers are due. */
import { readRequest } from "../smuggling/recording-backend.ts";
import { CASE_NAME, type FuzzCase } from "./fuzz-case.ts";

export interface SentRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** `<id>.<number>`, by which an odd backend finds its answer; undefined where a mutated case has spoilt it. */
  readonly name: string | undefined;
}

/** Those that are well formed and whole, up to the first that is not. */
export function sentRequests({ steps }: FuzzCase): SentRequest[] {
  let rest = steps.map((step) => ("write" in step ? step.write : "")).join("");
  const requests: SentRequest[] = [];
  try {
    for (let read = readRequest(rest); read; read = readRequest(rest)) {
      const { method, target, fields } = read.request;
      const head = rest.slice(0, rest.indexOf("\r\n\r\n") + 2);
      const [, id, number] = CASE_NAME.exec(head) ?? [];
      const [, host = ""] = fields.find(([name]) => name.toLowerCase() === "host") ?? [];
      requests.push({ method, target, host, name: id && `${id}.${number}` });
      // What follows is another protocol's, or dropped.
      if (method === "CONNECT" || /^upgrade:/im.test(head)) break;
      rest = read.rest;
    }
  } catch {
    // It may be refused, and what follows it is not read.
  }
  return requests;
}
