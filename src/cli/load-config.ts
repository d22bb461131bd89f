import type { ConfigPlace } from "../config/config-place.ts";
import type { LoadOptions } from "../config/load.ts";
import type { ConfigReading } from "../config/read-config.ts";
import { systemClock } from "../core/clock.ts";

/** Reads the configuration at a place. Loads only what that place needs. */
export async function loadConfigFrom(place: ConfigPlace, options: LoadOptions = {}): Promise<ConfigReading> {
  const { file, fail2ban } = place;
  const now = systemClock.now();
  if (fail2ban !== null) {
    const { loadFail2ban } = await import("../import/fail2ban/load-fail2ban.ts");
    return loadFail2ban(fail2ban, { ...options, file, now });
  }
  if (file !== null) return (await import("../config/load.ts")).loadConfig(file, options);
  const { builtInConfig } = await import("../config/built-in.ts");
  const { thisMachine } = await import("../config/machine.ts");
  return { config: builtInConfig(thisMachine(now)), errors: [] };
}
