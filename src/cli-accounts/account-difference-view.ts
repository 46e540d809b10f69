import type { Difference, FieldChange } from '../accounts/account-difference.ts';
import { columns } from '../command-line/help.ts';

type ShownChange = {
  readonly kind: 'account' | 'route';
  readonly name: string;
  readonly isNew: boolean;
  readonly fields: readonly FieldChange[];
};

export function differenceLines(difference: Difference): readonly string[] {
  return shownChanges(difference).flatMap(({ kind, name, isNew, fields }) => [
    `${isNew ? '+' : '~'} ${kind === 'route' ? 'route ' : ''}${name}${isNew ? ' (new)' : ''}`,
    ...columns(
      fields.map(({ field, before, after }) => [
        ` ${field}`,
        isNew ? shown(after) : `${shown(before)} → ${shown(after)}`,
      ]),
    ),
  ]);
}

export function differenceJson(difference: Difference): readonly unknown[] {
  return shownChanges(difference).map(({ kind, name, isNew, fields }) => ({
    [kind]: name,
    change: isNew ? 'create' : 'change',
    fields,
  }));
}

/** `2 to create, 1 to change, 4 as they are`. */
export function differenceSummary(difference: Difference): string {
  const changes = shownChanges(difference);
  const created = changes.filter(({ isNew }) => isNew).length;
  return `${created} to create, ${changes.length - created} to change, ${difference.unchanged} as described already`;
}

function shownChanges({ accounts, routes }: Difference): readonly ShownChange[] {
  return [
    ...accounts.map((change) => ({ ...change, kind: 'account' as const, name: change.account.path })),
    ...routes.map((change) => ({ ...change, kind: 'route' as const, name: change.route.name })),
  ];
}

function shown(value: unknown): string {
  if (value === undefined) return 'unset';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
