/** Configs as text: YAML or JSON, with the line and column of every key. */
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from "yaml";
import { ConfigError, type ConfigPath, type Position } from "../config/issue.ts";
import type { Source } from "./compile-options.ts";

export function parseYaml(text: string, origin: string): Source {
  const lines = new LineCounter();
  // Keys that stand twice are errors: one of the two would be lost in silence.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const faults: SyntaxFault[] = [...document.errors, ...document.warnings, ...lostKeys(document)];
  if (faults.length > 0)
    throw syntaxError(
      faults.map(({ message, pos }) => ({ message, ...positionOf(lines, pos[0]!) })),
      origin,
    );
  const locate = (place: ConfigPath): Position | undefined => {
    const offset = offsetOf(document.contents, place);
    return offset === undefined ? undefined : positionOf(lines, offset);
  };
  return { value: toPlain(document, origin), origin, locate };
}

interface SyntaxFault {
  readonly message: string;
  readonly pos: readonly number[];
}

/** Keys that a plain object can't hold, which would be lost in silence. */
function lostKeys(document: Document): SyntaxFault[] {
  const lost: SyntaxFault[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && key.value === "__proto__") lost.push({ message: "`__proto__` can't be a key.", pos: [key.range![0]] });
    },
  });
  return lost;
}

/** Aliases may make a few lines stand for billions of values ("billion laughs"): the parser counts, and throws. */
function toPlain(document: Document, origin: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw syntaxError([{ message: `${(error as Error).message}.` }], origin);
  }
}

function syntaxError(
  faults: readonly { readonly message: string; readonly line?: number; readonly column?: number }[],
  origin: string,
): ConfigError {
  return new ConfigError(
    faults.map((fault) => ({ rule: "source-syntax", severity: "error", path: "", ...fault })),
    origin,
  );
}

/** JSON is checked by its own, stricter grammar first; the YAML parser, to which it is YAML too, knows where things stand. */
export function parseJson(received: string, origin: string): Source {
  // A byte order mark, which some editors write.
  const text = received.replace(/^\uFEFF/, "");
  try {
    JSON.parse(text);
  } catch (error) {
    const message = (error as SyntaxError).message;
    const at = /position (\d+)/.exec(message);
    const before = text.slice(0, at ? Number(at[1]) : text.length).split("\n");
    const position = { line: before.length, column: before.at(-1)!.length + 1 };
    throw syntaxError([{ message: `not JSON: ${message}.`, ...position }], origin);
  }
  // A tab may indent JSON, but not YAML; both are one character, so that positions stay.
  return parseYaml(
    text.replace(/^[\t ]+/gm, (indent) => indent.replaceAll("\t", " ")),
    origin,
  );
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** Of the key where there is one, of an item otherwise; for what is missing, of what it is missing from. */
function offsetOf(root: Node | null, place: ConfigPath): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const part of place) {
    if (isMap(node)) {
      const pair = (node.items as Pair[]).find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(part));
      if (!pair) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
