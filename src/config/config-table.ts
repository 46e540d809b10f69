import { isRecord } from './formats.ts';
import { SCHEMA } from './schema.ts';

/** One setting as a person reads it. */
export type ConfigRow = {
  readonly key: string;
  readonly env: string;
  /** As JSON. */
  readonly default: string;
  readonly doc: string;
};

/** Every setting in the order of the schema: what README's table must say. */
export function configTable(): readonly ConfigRow[] {
  return SETTING_LEAVES.map(({ key, env, default: value, doc }) => ({
    key,
    env,
    default: JSON.stringify(value),
    doc,
  }));
}

/** Every key with what the schema says of it. */
export const SETTING_LEAVES: readonly SettingLeaf[] = leavesOf(SCHEMA, '');

type SettingLeaf = {
  readonly key: string;
  readonly env: string;
  readonly default: unknown;
  readonly doc: string;
  readonly format: unknown;
  readonly sensitive: boolean;
};

function leavesOf(group: object, prefix: string): readonly SettingLeaf[] {
  return Object.entries(group).flatMap(([name, part]: readonly [string, unknown]) => {
    const key = `${prefix}${name}`;
    if (!isRecord(part)) return [];
    const { doc, env, default: value } = part;
    if (typeof doc !== 'string' || typeof env !== 'string') return leavesOf(part, `${key}.`);
    return [{ key, env, doc, default: value, format: part['format'], sensitive: part['sensitive'] === true }];
  });
}
