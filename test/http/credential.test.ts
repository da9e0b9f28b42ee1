/** Reading a credential from its place and taking it away: what is read goes, and no other byte does. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AMBIGUOUS,
  type CredentialSource,
  fieldOf,
  nameOfSource,
  readCredential,
  removeCredential,
} from "#lib/http/credential.ts";
import { HeaderList } from "#lib/http/header-list.ts";

const BASIC: CredentialSource = { in: "authorization", scheme: "basic" };
const KEY: CredentialSource = { in: "header", name: "x-key" };
const SID: CredentialSource = { in: "cookie", name: "sid" };
const QUERY: CredentialSource = { in: "query", name: "key" };

function read(place: CredentialSource, pairs: string[], target = "/") {
  return readCredential(new HeaderList(pairs), target, place);
}

function without(place: CredentialSource, pairs: string[], target = "/") {
  const outgoing = { headers: new HeaderList([...pairs]), target };
  removeCredential(outgoing, place);
  return { pairs: outgoing.headers.pairs, target: outgoing.target };
}

describe("in Authorization", () => {
  test.each([
    ["Basic abc", "abc"],
    ["basic abc", "abc"],
    ["BASIC   abc", "abc"],
    ["Basic\tabc", "\tabc"],
    ["Basic \t abc \t", "abc"],
    // A scheme without a credential has none.
    ["Basic", undefined],
    ["Basic ", undefined],
    // Not whitespace to this protocol, so it is part of what is judged.
    ["Basic \xa0abc", "\xa0abc"],
    ['Basic a="b, c", d = e', 'a="b, c", d = e'],
  ])("%j is read", (value, credential) => {
    expect(read(BASIC, ["Authorization", value])).toBe(credential);
    expect(without(BASIC, ["accept", "*/*", "Authorization", value]).pairs).toEqual(["accept", "*/*"]);
  });

  test.each(['Digest a="x, Basic abc", b=1', "Bearer abc", "Basicabc", "Basi", "", "Basic=abc", "Basic\xa0abc", "xBasic abc"])(
    "%j is another's",
    (value) => {
      expect(read(BASIC, ["Authorization", value])).toBeUndefined();
      expect(without(BASIC, ["Authorization", value]).pairs).toEqual(["Authorization", value]);
    },
  );

  test.each([
    [["authorization", "Basic a", "Authorization", "Basic b"]],
    [["authorization", "Basic a", "Authorization", "Basic a"]],
    [["authorization", "Bearer x", "Authorization", "Basic a"]],
    [["authorization", "Basic a", "Authorization", ""]],
    [["authorization", "Basic a, Basic b"]],
    [["authorization", "Bearer x, Basic a"]],
    [["authorization", "Bearer x,basic"]],
    [["authorization", ", Basic a"]],
    [["authorization", "Bearer x, "]],
    [["authorization", 'Digest a="1", b=2, Basic a']],
  ])("two are one too many, also where a platform has joined them: %j", (pairs) => {
    expect(read(BASIC, pairs)).toBe(AMBIGUOUS);
    expect(without(BASIC, pairs).pairs).toEqual([]);
  });
});

describe("in a field of its own", () => {
  test.each([
    ["abc", "abc"],
    ["\t abc ", "abc"],
    ["", undefined],
    [" \t", undefined],
    ["a b", "a b"],
  ])("%j", (value, credential) => expect(read(KEY, ["X-Key", value])).toBe(credential));

  test("two are one too many, also where one is empty", () => {
    expect(read(KEY, ["x-key", "a", "X-KEY", "b"])).toBe(AMBIGUOUS);
    expect(read(KEY, ["x-key", "a", "X-Key", ""])).toBe(AMBIGUOUS);
    expect(read(KEY, ["x-key", "a, b"])).toBe(AMBIGUOUS);
  });

  test("a lookalike is read and goes as the real one: CGI would take it for that", () => {
    expect(read(KEY, ["X_Key", "presented"])).toBe("presented");
    expect(read(KEY, ["X-Key", "a", "X_Key", "b"])).toBe(AMBIGUOUS);
    expect(without(KEY, ["X_Key", "forged", "a", "1", "X-Key", "real", "x_key", ""]).pairs).toEqual(["a", "1"]);
  });
});

describe("in a cookie", () => {
  test.each([
    ["sid=abc", "abc", undefined],
    ["a=1; sid=abc; b=2", "abc", "a=1; b=2"],
    ["sid=abc; a=1", "abc", "a=1"],
    ["a=1; sid=abc", "abc", "a=1"],
    ["a=1;sid=abc;b=2", "abc", "a=1;b=2"],
    [" \ta = 1 ;\tsid\t=  abc \t;  b=2", "abc", " \ta = 1 ;  b=2"],
    ['a="x y"; sid="abc"; b=1', '"abc"', 'a="x y"; b=1'],
    ["sid=a=b==; c=", "a=b==", "c="],
    ["sid=", undefined, undefined],
    ["sid=abc;", "abc", ""],
    ["; ;sid=abc; ;", "abc", "; ; ;"],
    ["a=\xe9; sid=abc; \xa0b=2", "abc", "a=\xe9; \xa0b=2"],
  ])("%j", (value, credential, rest) => {
    expect(read(SID, ["Cookie", value])).toBe(credential);
    expect(without(SID, ["Cookie", value]).pairs).toEqual(rest === undefined ? [] : ["Cookie", rest]);
  });

  // Names are case-sensitive, and a pair without `=` is a value without a name (RFC 6265bis section 5.7).
  test.each(["SID=abc", "sid", "sid ; a=1", "xsid=abc", "sid%3Dabc", "a=sid=abc", "\xa0sid=abc", "", "  ", ";;", "sids=1"])(
    "%j has none, and stays as it is",
    (value) => {
      expect(read(SID, ["Cookie", value])).toBeUndefined();
      expect(without(SID, ["Cookie", value]).pairs).toEqual(["Cookie", value]);
    },
  );

  test.each([[["cookie", "sid=a; sid=b"]], [["cookie", "sid=a; x=1", "Cookie", "sid=b"]], [["cookie", "sid=; sid=a"]]])(
    "two of one name are one too many: %j",
    (pairs) => {
      expect(read(SID, pairs)).toBe(AMBIGUOUS);
      expect(read(SID, ["cookie", without(SID, pairs).pairs.join()])).toBeUndefined();
    },
  );

  test.each([
    [["cookie", "sid=a; sid=a"], "a"],
    [["cookie", "sid=a; x=1", "Cookie", "sid=a"], "a"],
    [["cookie", "sid=; sid="], undefined],
  ])("several of one value are one, and all of them go: %j", (pairs, credential) => {
    expect(read(SID, pairs)).toBe(credential);
    expect(without(SID, pairs).pairs.join()).not.toContain("sid");
  });

  test("in quotes a semicolon separates all the same", () => {
    expect(read(SID, ["cookie", 'a="x; sid=abc"'])).toBe('abc"');
  });
});

describe("in the query", () => {
  test.each([
    ["/a?key=abc", "abc", "/a"],
    ["/a?x=1&key=abc&y=%7e", "abc", "/a?x=1&y=%7e"],
    ["/a?key=abc&x", "abc", "/a?x"],
    ["/a?x=+%20&key=abc", "abc", "/a?x=+%20"],
    ["/a?%6bey=abc", "abc", "/a"],
    ["/a?%6B%65%79=a%62c", "abc", "/a"],
    ["/a?key", undefined, "/a"],
    ["/a?key=", undefined, "/a"],
    ["/a?&key=abc&&b=%zz&", "abc", "/a?&&b=%zz&"],
    ["/a?key=a+b%26c", "a b&c", "/a"],
    // To this parser `;` is part of a value.
    ["/a?key=abc;key=def", "abc;key=def", "/a"],
    ["/a?x=??&key=abc", "abc", "/a?x=??"],
  ])("%s", (target, credential, rest) => {
    expect(read(QUERY, [], target)).toBe(credential);
    expect(without(QUERY, [], target).target).toBe(rest);
  });

  test.each([
    "/a",
    "/a?",
    "/a?KEY=abc",
    "/a?x;key=abc",
    "/a??key=abc",
    "/a?x=1&?key=abc",
    "/a?a[key]=1",
    "/key=abc",
    "/a?%256bey=1",
  ])("%s has none, and stays as it is", (target) => {
    expect(read(QUERY, [], target)).toBeUndefined();
    expect(without(QUERY, [], target).target).toBe(target);
  });

  test.each(["/a?key=a&key=b", "/a?key=a&%6Bey=b", "/a?key&key=a"])("%s is one too many", (target) => {
    expect(read(QUERY, [], target)).toBe(AMBIGUOUS);
    expect(without(QUERY, [], target).target).toBe("/a");
  });

  test("several of one value are one, and all of them go", () => {
    expect(read(QUERY, [], "/a?key=a&%6Bey=%61")).toBe("a");
    expect(without(QUERY, [], "/a?key=a&x&%6Bey=%61").target).toBe("/a?x");
  });

  test("a name that must be encoded", () => {
    const place: CredentialSource = { in: "query", name: "my key&" };
    expect(read(place, [], "/a?my+key%26=1")).toBe("1");
    expect(without(place, [], "/a?x=1&my%20key%26=1&y").target).toBe("/a?x=1&y");
  });
});

describe("whatever is sent", () => {
  const piece = fc.constantFrom(
    "key",
    "sid",
    "%6bey",
    "Basic",
    "=",
    "&",
    ";",
    "?",
    " ",
    "\t",
    '"',
    "a",
    "%",
    "+",
    ",",
    "\xa0",
    "\xe9",
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const name = fc.constantFrom("Cookie", "cookie", "Authorization", "authorization", "X-Key", "x_key", "Accept");
  const pairs = fc.array(fc.tuple(name, text), { maxLength: 5 }).map((fields) => fields.flat());
  const place = fc.constantFrom(BASIC, KEY, SID, QUERY);

  test("what is taken away can't be read any more, and taking it twice changes nothing", () => {
    fc.assert(
      fc.property(pairs, text, place, (given, query, where) => {
        const target = `/a?${query}`;
        const once = without(where, given, target);
        expect(read(where, once.pairs, once.target)).toBeUndefined();
        expect(without(where, once.pairs, once.target)).toEqual(once);
      }),
    );
  });

  /** An empty credential is not read, but goes as others do. */
  function holdsEmpty(where: CredentialSource, given: string[], query: string): boolean {
    if (where === QUERY) return new URLSearchParams(query).getAll("key").includes("");
    const form = where === SID ? /(?:^|;)[ \t]*sid[ \t]*=[ \t]*(?:;|$)/ : where === BASIC ? /^basic[ \t]*$/i : /^[ \t]*$/;
    return given.some((value, index) => index % 2 === 1 && form.test(value));
  }

  test("where there is nothing to read, no byte changes", () => {
    fc.assert(
      fc.property(pairs, text, place, (given, query, where) => {
        const target = `/a?${query}`;
        fc.pre(read(where, given, target) === undefined && !holdsEmpty(where, given, query));
        expect(without(where, given, target)).toEqual({ pairs: given, target });
      }),
    );
  });

  test("the other pieces stay, in their order", () => {
    fc.assert(
      fc.property(fc.array(text), fc.array(text), (before, after) => {
        const clean = (pieces: readonly string[], separator: string) =>
          pieces.map((one) =>
            one
              .replaceAll(separator, "")
              .replace("sid", "s")
              .replace(/key|%6bey/, "k")
              .trim(),
          );
        const cookies = (all: readonly string[]) => all.map((one) => `c=${one}`);
        const [b, a] = [cookies(clean(before, ";")), cookies(clean(after, ";"))];
        const kept = [...b, ...a].join("; ");
        expect(without(SID, ["cookie", [...b, "sid=x", ...a].join("; ")]).pairs).toEqual(kept === "" ? [] : ["cookie", kept]);
        const [c, d] = [cookies(clean(before, "&")), cookies(clean(after, "&"))];
        const rest = [...c, ...d].join("&");
        expect(without(QUERY, [], `/a?${[...c, "key=x", ...d].join("&")}`).target).toBe(rest === "" ? "/a" : `/a?${rest}`);
      }),
    );
  });
});

test("a place has a field, and a name for people", () => {
  expect([BASIC, KEY, SID, QUERY].map(fieldOf)).toEqual(["authorization", "x-key", "cookie", undefined]);
  expect([BASIC, KEY, SID, QUERY].map(nameOfSource)).toEqual([
    "`Authorization`",
    "`x-key`",
    "the cookie `sid`",
    "the query parameter `key`",
  ]);
});
