/** The rules of the repository that a machine can hold: which way imports point, how large files are, what docs name. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ALLOWED_DIFFERENCES } from "./support/allowed-differences.ts";
import { arrows, files, importsOf, isPackage, lib, ROOT, reachable, read, sources } from "./support/import-graph.ts";

const { scripts, version, dependencies, devDependencies } = JSON.parse(read("package.json")) as {
  scripts: Record<string, string>;
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

describe("imports", () => {
  test("the reader of imports finds them", () => {
    expect(importsOf("lib/gateway/gateway.ts").map(({ to }) => to)).toContain("lib/engine/match.ts");
    expect(importsOf("lib/gateway/gateway.ts").find(({ to }) => to === "lib/contract/record.ts")).toMatchObject({ isType: true });
    expect(reachable(["server.ts"])).toContain("lib/compiler/schema/gateway.ts");
    expect(reachable(["server.ts"])).toContain("zod");
  });

  test("lib/ never imports Next or anything of Vercel's", () => {
    expect(arrows(lib, (target) => isPackage("next")(target) || target.startsWith("@vercel/"))).toEqual([]);
  });

  test("@upstash only below lib/stores/", () => {
    expect(arrows(sources, (target, file) => target.startsWith("@upstash/") && !/^(?:lib\/stores|test)\//.test(file))).toEqual(
      [],
    );
  });

  test("nothing in lib/ imports a host, the tests or a script", () => {
    expect(
      arrows(lib, (target) => /^(?:app|test|scripts|demo|bench|server\.ts|middleware\.ts|gateway\.config\.ts)/.test(target)),
    ).toEqual([]);
  });

  test("a policy never imports another policy", () => {
    const folder = (file: string) => /^lib\/policies\/([^/]+)\//.exec(file)?.[1];
    expect(
      arrows(
        lib,
        (target, file) => folder(file) !== undefined && folder(target) !== undefined && folder(file) !== folder(target),
      ),
    ).toEqual([]);
  });

  test("zod is not loaded by what serves requests on Vercel, nor by the engine", () => {
    const request = reachable(["middleware.ts", "app/[[...path]]/route.ts", "lib/gateway/gateway.ts"]);
    expect(request).toContain("lib/policies/index.ts");
    expect([...request].filter((file) => isPackage("zod")(file) || file.endsWith("/options.ts") || file === "yaml")).toEqual([]);
  });

  test("zod is imported only by schemas", () => {
    expect(
      arrows(
        lib,
        (target, file) =>
          isPackage("zod")(target) &&
          !/^lib\/(?:config\/|compiler\/|(?:policies|authenticators)\/[^/]+\/options\.ts$)/.test(file),
      ),
    ).toEqual([]);
  });

  test("every package that is imported is in package.json", () => {
    const known = new Set([...Object.keys(dependencies), ...Object.keys(devDependencies), "vite", "vitest"]);
    const packageOf = (target: string) =>
      target
        .split("/")
        .slice(0, target.startsWith("@") ? 2 : 1)
        .join("/");
    const isBare = (target: string) =>
      !target.startsWith("node:") &&
      !existsSync(join(ROOT, target)) &&
      /^(?:@[\w-]+\/)?[\w-]+(?:\/|$)/.test(target) &&
      !target.startsWith(".");
    expect(
      arrows(
        sources.filter((file) => !/^(?:bench|test\/types)\//.test(file)),
        (target) => isBare(target) && !known.has(packageOf(target)),
      ),
    ).toEqual([]);
  });
});

describe("the environment", () => {
  test("only lib/config/env.ts reads it in lib/", () => {
    const readers = lib.filter((file) =>
      /\bprocess\.env\b|\bprocess\[["']env/.test(read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*|`[^`]*`|'[^'\n]*'/g, "")),
    );
    expect(readers).toEqual(["lib/config/env.ts"]);
  });

  test("only the hosts draw time and randomness: the engine is handed a clock", () => {
    const engine = lib.filter((file) => /^lib\/(?:engine|gateway|policies|backends|proxy)\//.test(file));
    expect(engine.filter((file) => /\bDate\.now\(|new Date\(\)|Math\.random\(|performance\.now\(/.test(read(file)))).toEqual([]);
  });
});

describe("files", () => {
  test("none is longer than 400 lines", () => {
    const long = sources.filter((file) => read(file).split("\n").length > 401);
    expect(long).toEqual([]);
  });

  test("each begins by saying what it is", () => {
    // A unit test's path says it; a flow is an example, and is read.
    const speaks = sources.filter(
      (file) => /^(?:lib|scripts|demo|test\/support|test\/flows)\//.test(file) && !file.includes("/frontend/app/"),
    );
    const silent = speaks.filter((file) => !/^(?:#!.*\n)?(?:\/\*\*|\/\/)/.test(read(file)));
    expect(silent).toEqual([]);
  });

  test("names are kebab-case and say what is in them", () => {
    const odd = sources.filter((file) => !/^app\//.test(file) && !/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(file.split("/").at(-1)!));
    expect(odd).toEqual([]);
    expect(sources.filter((file) => /\/(?:utils?|types|helpers?|common|misc)\.tsx?$/.test(file))).toEqual([]);
  });

  test.each(
    readdirSync(join(ROOT, "lib/policies"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name),
  )("the policy %s has its files, and is listed", (name) => {
    for (const file of [`${name}.ts`, "options.ts", "README.md"])
      expect(existsSync(join(ROOT, "lib/policies", name, file)), file).toBe(true);
    expect(read("lib/policies/index.ts")).toContain(`"./${name}/${name}.ts"`);
    expect(read("lib/policies/schemas.ts")).toContain(`"./${name}/options.ts"`);
  });

  test("none is switched off: no skipped or lonely test, no unchecked type", () => {
    const code = (file: string) => read(file).replace(/\/\*[\s\S]*?\*\/|(?<=\s)\/\/.*|"[^"\n]*"|`[^`]*`/g, "");
    const off = /\.(?:skip|only|todo|fails)\(|\bas any\b|:\s*any\b|<any>/;
    const unchecked = /@ts-(?:ignore|nocheck)/;
    expect(
      sources.filter((file) => file !== "test/repo.test.ts" && (off.test(code(file)) || unchecked.test(read(file)))),
    ).toEqual([]);
  });

  test("none names a place of the machine it was written on", () => {
    const place = new RegExp(["/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/", "/wo" + "rk/", "registry\\.npm" + "js"].join("|"));
    expect(files.filter((file) => !/\.(?:png|ico|woff2)$/.test(file) && place.test(read(file)))).toEqual([]);
  });
});

describe("docs", () => {
  const documents = files.filter((file) => file.endsWith(".md"));

  test("every `npm run` that they name exists", () => {
    const missing = documents.flatMap((file) =>
      [...read(file).matchAll(/npm (?:run (?:-s )?)([\w:-]+)/g)]
        .filter(([, name]) => !(name! in scripts))
        .map(([text]) => `${file}: ${text}`),
    );
    expect(missing).toEqual([]);
  });

  test("every file that they link to exists", () => {
    const broken = documents.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|#|mailto:|\/)([^)#\s]+)/g)]
        .filter(([, path]) => !existsSync(join(ROOT, dirname(file), path!)))
        .map(([, path]) => `${file}: ${path}`),
    );
    expect(broken).toEqual([]);
  });

  test("the README's table of limits has every allowed difference between the hosts", () => {
    const readme = read("README.md");
    for (const { what } of ALLOWED_DIFFERENCES) expect(readme).toContain(what);
  });

  test("the version is the same everywhere", () => {
    expect(read("lib/admin/version.ts")).toContain(`"${version}"`);
  });
});
