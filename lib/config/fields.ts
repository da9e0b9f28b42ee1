/** Reads the texts of a config into values, references and templates, and reports what does not fit. Used by compile.ts and by the policies' options. */
import type { Template } from "../contract/template.ts";
import { type ConfigPath, formatPlace, type Report } from "./issue.ts";
import { didYouMean } from "./nearest.ts";
import type { Reference } from "./references.ts";
import { asList } from "./schema-fields.ts";
import { isEnvPart, isRequestValue, REQUEST_VALUES, readText, type TextPart } from "./text.ts";
import { type Kind, VALUE_KINDS, type ValueKind, type ValueOf, withScheme } from "./value-kinds.ts";

/** The kinds of text that request values may stand in. */
export type TemplateKind = Extract<Kind, "string" | "header" | "json" | "path">;

/** Parameters of a path by name; true for the one that stands for several segments. */
export type PathParams = ReadonlyMap<string, boolean>;

/** The route's path, for what names its parameters. */
interface KnownPath {
  readonly path: string;
  readonly params: PathParams;
}

/** Names that a config gives, and that settings may speak of. */
export interface Names {
  readonly authenticators: readonly string[];
}

const NO_NAMES: Names = { authenticators: [] };

export class Fields {
  readonly report: Report;
  readonly names: Names;
  readonly #known: KnownPath | undefined;

  /** Without a path any parameter may be named: for defaults, where it is not known. */
  constructor(report: Report, names = NO_NAMES, known?: KnownPath) {
    this.report = report;
    this.names = names;
    this.#known = known;
  }

  /** A value that may hang on variables. Undefined after a fault that was reported. */
  value<K extends Kind>(input: string | number | boolean, place: ConfigPath, kind: K): ValueOf<K> | undefined {
    const { parts, isWhole } = this.#parts(String(input), place);
    if (!isWhole) return undefined;
    if (parts.some(isRequestValue)) {
      this.report.error("request-value-not-here", place, "values of the request can't stand here: it is read once, at start.");
      return undefined;
    }
    if (!parts.some(isEnvPart)) return this.#read(parts.join(""), place, kind);
    const reference: Reference = { $ref: parts as Reference["$ref"], as: kind, at: formatPlace(place) };
    // The unresolved form: resolveReferences puts the value here before the engine sees it.
    return reference as unknown as ValueOf<K>;
  }

  /** Each entry of a setting that may be a single value or a list, as `value` reads it. */
  list<K extends Kind>(input: string | readonly string[] | undefined, place: ConfigPath, kind: K): ValueOf<K>[] {
    return asList(input).flatMap((item, index): ValueOf<K>[] => {
      const value = this.value(item, Array.isArray(input) ? [...place, index] : place, kind);
      return value === undefined ? [] : [value];
    });
  }

  /** Text that shapes the gateway itself, so that it must be known when the config is compiled. */
  plain(input: string, place: ConfigPath): string | undefined {
    const { parts, isWhole } = this.#parts(input, place);
    if (!isWhole) return undefined;
    if (parts.every((part) => typeof part === "string")) return parts.join("");
    this.report.error(
      "reference-not-here",
      place,
      "neither variables nor values of the request can stand here: it shapes the gateway itself.",
    );
    return undefined;
  }

  /** Text that may hold values of the request. Undefined after a fault that was reported. */
  template(input: string, place: ConfigPath, kind: TemplateKind): Template | undefined {
    const { parts, isWhole } = this.#parts(input, place);
    const template = parts.map((part) => this.#templatePart(part, place, kind));
    return isWhole && template.every((part) => part !== undefined) ? (template as Template) : undefined;
  }

  #templatePart(part: TextPart, place: ConfigPath, kind: TemplateKind): Template[number] | undefined {
    if (typeof part === "string") return this.#read(part, place, kind);
    if (!isRequestValue(part)) {
      const reference: Reference = { $ref: [part], as: kind, at: formatPlace(place) };
      return reference as unknown as string;
    }
    if (part.from !== "params" || !this.#known) return part;
    const many = this.param(part.name, place);
    if (many === undefined) return undefined;
    return many ? { ...part, many } : part;
  }

  /** Whether a parameter of the path stands for several segments. Undefined where the path has none of that name, which has been reported. */
  param(name: string, place: ConfigPath): boolean | undefined {
    if (!this.#known) return false;
    const many = this.#known.params.get(name);
    if (many !== undefined) return many;
    const names = [...this.#known.params.keys()];
    const fix = didYouMean(name, names) ?? (names.length > 0 ? `There are ${names.join(", ")}.` : undefined);
    this.report.error("request-value", place, `the path ${this.#known.path} has no parameter "${name}".`, fix);
    return undefined;
  }

  /** Not whole where something could not be read, which has been reported. */
  #parts(input: string, place: ConfigPath): { readonly parts: readonly TextPart[]; readonly isWhole: boolean } {
    const { parts, faults } = readText(input);
    for (const fault of faults) {
      if (fault.startsWith("${env")) {
        this.report.error(
          "reference-grammar",
          place,
          `can't read "${fault}".`,
          "Write ${env.NAME} or ${env.NAME:-fallback}; a plain ${ is written $${.",
        );
      } else {
        this.report.error(
          "request-value",
          place,
          `"${fault}" is no value of a request.`,
          `There are ${REQUEST_VALUES}; a plain \${ is written $\${.`,
        );
      }
    }
    return { parts, isWhole: faults.length === 0 };
  }

  #read<K extends Kind>(text: string, place: ConfigPath, kind: K): ValueOf<K> | undefined {
    const valueKind: ValueKind<unknown> = VALUE_KINDS[kind];
    const { expects, isSecret } = valueKind;
    const value = valueKind.read(text) as ValueOf<K> | undefined;
    if (value === undefined) {
      // Credentials in a URL are no text for a log.
      const shown = isSecret ? "another text" : JSON.stringify(text.replace(/\/\/[^/]*@/, "//…@"));
      const whole = withScheme(text, valueKind);
      const fix = whole === undefined ? undefined : `The scheme is missing: write ${JSON.stringify(whole)}.`;
      this.report.error("value-format", place, `expected ${expects}, got ${shown}.`, fix);
    }
    return value;
  }
}
