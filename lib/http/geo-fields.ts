/** Where the caller is, from header fields of those who know: Vercel, a CDN in front. Read only where their sender is believed. */
import type { Geo } from "./geo.ts";
import type { HeaderList } from "./header-list.ts";

/** The field that says each part; null where none does. */
export type GeoFields = { readonly [Part in keyof Geo]-?: string | null };

const platform = (prefix: string, names: Readonly<Record<keyof Geo, string>>): GeoFields =>
  Object.fromEntries(Object.entries(names).map(([part, name]) => [part, prefix + name])) as GeoFields;

/** Cloudflare's need its managed transform "Add visitor location headers", but for the country. */
export const GEO_FIELDS = {
  vercel: platform("x-vercel-ip-", {
    continent: "continent",
    country: "country",
    subdivision: "country-region",
    city: "city",
    latitude: "latitude",
    longitude: "longitude",
    timezone: "timezone",
  }),
  cloudflare: platform("cf-", {
    continent: "ipcontinent",
    country: "ipcountry",
    subdivision: "region-code",
    city: "ipcity",
    latitude: "iplatitude",
    longitude: "iplongitude",
    timezone: "timezone",
  }),
  cloudfront: {
    ...platform("cloudfront-viewer-", {
      continent: "",
      country: "country",
      subdivision: "country-region",
      city: "city",
      latitude: "latitude",
      longitude: "longitude",
      timezone: "time-zone",
    }),
    continent: null,
  },
} as const satisfies Record<string, GeoFields>;

/** Undefined where the fields say nothing. A part that can't be what it should be is left out. */
export function readGeo(headers: Pick<HeaderList, "get">, fields: GeoFields): Geo | undefined {
  const text = (part: keyof Geo) => {
    const name = fields[part];
    return name === null ? undefined : headers.get(name);
  };
  return geoOf(text, cityOf(text("city")));
}

/** The same of texts by part; that of the city is decoded already. */
export function geoOf(text: (part: keyof Geo) => string | undefined, city: string | undefined): Geo | undefined {
  const geo: Geo = {
    continent: code(text("continent"), /^[A-Z]{2}$/),
    // XX is Cloudflare's word for nobody knows; T1, for Tor, is no country and falls out by its form.
    country: code(text("country"), /^(?!XX)[A-Z]{2}$/),
    subdivision: code(text("subdivision"), /^[A-Z0-9]{1,3}$/),
    city,
    latitude: coordinate(text("latitude"), 90),
    longitude: coordinate(text("longitude"), 180),
    timezone: code(text("timezone"), /^[A-Za-z0-9_+/-]{1,64}$/),
  };
  return Object.values(geo).some((part) => part !== undefined) ? geo : undefined;
}

function code(text: string | undefined, form: RegExp): string | undefined {
  return text !== undefined && form.test(text) ? text : undefined;
}

function coordinate(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^-?\d{1,3}(?:\.\d+)?$/.test(text)) return undefined;
  const degrees = Number(text);
  return Math.abs(degrees) <= most ? degrees : undefined;
}

/** Percent-encoded (Vercel), or bytes of UTF-8 that the parser gave as latin-1 (Cloudflare). */
function cityOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return percentDecoded(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text, "latin1")));
  } catch {
    return percentDecoded(text);
  }
}

/** Undefined for an empty text; one that is not percent-encoded stays as it is. */
export function percentDecoded(text: string | undefined): string | undefined {
  if (!text?.includes("%")) return text || undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
