/** The settings of a route in layers: what `byMethod` says for a method, over the route's own, over the defaults. Each knows where it was written. */
import type { z } from "zod";
import type { ConfigPath } from "../config/issue.ts";
import type { Defaults } from "./defaults.ts";
import type { routeSchema } from "./schema/route.ts";

export type Settings = Partial<z.output<typeof routeSchema>>;

interface Layer {
  readonly settings: Settings;
  readonly place: ConfigPath;
}

export class RouteSettings {
  readonly place: ConfigPath;
  readonly #layers: readonly Layer[];
  readonly #defaults: Defaults;

  constructor(own: Settings, defaults: Defaults, place: ConfigPath, over: readonly Layer[] = []) {
    this.place = place;
    this.#layers = [...over, { settings: own, place }];
    this.#defaults = defaults;
  }

  /** The same with some settings replaced. */
  over(settings: Settings, place: ConfigPath): RouteSettings {
    const { settings: own } = this.#layers.at(-1)!;
    return new RouteSettings(own, this.#defaults, this.place, [{ settings, place }]);
  }

  get<Key extends keyof Settings>(
    key: Key,
  ): { readonly value: Settings[Key]; readonly place: ConfigPath; readonly isDefault: boolean } {
    const layer = this.#layers.find(({ settings }) => settings[key] !== undefined) ?? this.#layers.at(-1)!;
    const { settings, placeOf } = this.#defaults;
    const isDefault = layer.settings[key] === undefined && key in settings;
    return isDefault
      ? { value: (settings as Settings)[key], place: placeOf(key), isDefault }
      : { value: layer.settings[key], place: [...layer.place, key], isDefault };
  }
}
