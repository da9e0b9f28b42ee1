/** A file of variables, changed line by line: what a person wrote there stays as it is. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseEnv } from "node:util";
import { readTextFile } from "../config/text-file.ts";

/** Secrets are for their owner alone. */
const OWNER_ONLY = 0o600;

export class EnvFile {
  readonly #path: string;
  #text: string;

  constructor(path: string) {
    this.#path = path;
    this.#text = existsSync(path) ? readTextFile(path, basename(path)) : "";
  }

  has(name: string): boolean {
    return Boolean(parseEnv(this.#text)[name]);
  }

  /** In place of a line that leaves it empty (`NAME=` of a copied .env.example), at the end otherwise. */
  set(name: string, value: string, comment: string): void {
    const line = `${name}=${value}`;
    const empty = new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*(?:""|'')?[ \\t]*(?:#.*)?(?=\\r?$)`, "m");
    const end = this.#text.includes("\r\n") ? "\r\n" : "\n";
    if (empty.test(this.#text)) this.#text = this.#text.replace(empty, () => line);
    else this.#text += `${this.#text === "" || this.#text.endsWith("\n") ? "" : end}# ${comment}${end}${line}${end}`;
  }

  save(): void {
    // Before the secret is in it: a file that was there keeps its mode when it is written.
    if (existsSync(this.#path)) chmodSync(this.#path, OWNER_ONLY);
    writeFileSync(this.#path, this.#text, { mode: OWNER_ONLY });
  }
}
