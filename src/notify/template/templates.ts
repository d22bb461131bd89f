import { StoplogError } from "../../core/errors.ts";
import { abuseipdb } from "./abuseipdb.ts";
import { body } from "./body.ts";
import { discord } from "./discord.ts";
import { gotify } from "./gotify.ts";
import { json } from "./json.ts";
import { matrix } from "./matrix.ts";
import { mattermost } from "./mattermost.ts";
import { ntfy } from "./ntfy.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";
import type { Template, TemplateKind } from "./template.ts";

/** Every value of `template`, in the order of the reference. */
export const TEMPLATES: readonly TemplateKind[] = [
  json,
  slack,
  discord,
  teams,
  mattermost,
  telegram,
  ntfy,
  gotify,
  matrix,
  abuseipdb,
];

/** The kind of a template. Throws a StoplogError when there is none of that name. */
export function templateKindOf({ kind }: Template): TemplateKind {
  const found = [...TEMPLATES, body].find(({ name }) => name === kind);
  if (found === undefined) throw new StoplogError(`Cannot use template ${kind}: there is no such template`);
  return found;
}
