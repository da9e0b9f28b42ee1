/** Keeps secrets out of build artifacts: no compiled data may hold what a variable that it refers to holds. */
import type { Report } from "../../config/issue.ts";
import { isReference, referencesIn, type Variables } from "../../config/references.ts";

/** Shorter values (`on`, `3000`) stand in any config by chance. */
const MIN_SECRET_LENGTH = 8;

export function reportLeaks(data: unknown, variables: Variables, report: Report): void {
  const names = new Set(
    [...referencesIn(data)].flatMap(({ $ref }) => $ref.flatMap((part) => (typeof part === "string" ? [] : [part.env]))),
  );
  const secrets = [...names].filter((name) => (variables[name]?.length ?? 0) >= MIN_SECRET_LENGTH);
  if (secrets.length === 0) return;
  const texts = [...textsIn(data)];
  for (const name of secrets) {
    const value = variables[name]!;
    // Bodies in JSON hold it escaped.
    const escaped = JSON.stringify(value).slice(1, -1);
    if (!texts.some((text) => text.includes(value) || text.includes(escaped))) continue;
    report.error(
      "secret-in-build",
      [],
      `the value of ${name} stands in the config as plain text, and would be written into the build.`,
      `Write env("${name}") there too.`,
    );
  }
}

/** A fallback is what its author wrote down as no secret, so that a variable may well have the value of its own. */
function* textsIn(value: unknown): Iterable<string> {
  if (typeof value === "string") yield value;
  else if (isReference(value)) yield* value.$ref.filter((part) => typeof part === "string");
  else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      yield key;
      yield* textsIn(item);
    }
  }
}
