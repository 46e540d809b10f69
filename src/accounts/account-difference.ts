import { toAccountDocument, toRouteDocument } from './account-document.ts';
import type { Account, Route } from './account.ts';
import { isTimed, tariffsInWords } from './tariff-assignments.ts';
import { isRecord } from './document-reader.ts';
import type { DescribedTree } from './tree-document.ts';

/** One field by its place in the document, such as `operator.calls`; undefined is unset. */
export type FieldChange = { readonly field: string; readonly before: unknown; readonly after: unknown };

export type AccountChange = {
  readonly account: Account;
  readonly isNew: boolean;
  readonly fields: readonly FieldChange[];
};

export type RouteChange = {
  readonly route: Route;
  readonly isNew: boolean;
  readonly fields: readonly FieldChange[];
};

/** What saving a description would change. Accounts and routes that it does not name stay as they are. */
export type Difference = {
  /** Parents before children. */
  readonly accounts: readonly AccountChange[];
  readonly routes: readonly RouteChange[];
  /** Of those that are named, how many are as described already. */
  readonly unchanged: number;
};

export function differenceOf(onRecord: DescribedTree, described: DescribedTree): Difference {
  const accountsBefore = new Map(onRecord.accounts.map((account) => [account.path, account]));
  const routesBefore = new Map(onRecord.routes.map((route) => [route.name, route]));
  const accounts = described.accounts
    .toSorted((left, right) => depthOf(left) - depthOf(right) || (left.path < right.path ? -1 : 1))
    .flatMap((account): readonly AccountChange[] => {
      const before = accountsBefore.get(account.path);
      const fields = changedFields(
        before && documentOf(before, account),
        documentOf(account, before),
        'account',
      );
      return before !== undefined && fields.length === 0
        ? []
        : [{ account, isNew: before === undefined, fields }];
    });
  const routes = described.routes.flatMap((route): readonly RouteChange[] => {
    const before = routesBefore.get(route.name);
    const fields = changedFields(before && toRouteDocument(before), toRouteDocument(route), 'route');
    return before !== undefined && fields.length === 0
      ? []
      : [{ route, isNew: before === undefined, fields }];
  });
  const named = described.accounts.length + described.routes.length;
  return { accounts, routes, unchanged: named - accounts.length - routes.length };
}

/** As it is written, but in words where the tariffs of one of the two have dates: whole lists are hard to compare. */
function documentOf(account: Account, other: Account | undefined): Fields {
  const document = toAccountDocument(account);
  if (other === undefined || !(isTimed(account.tariffs) || isTimed(other.tariffs))) return document;
  const { tariff: _, tariffs: __, ...fields } = document;
  return account.tariffs.length === 0 ? fields : { ...fields, tariffs: tariffsInWords(account.tariffs) };
}

type Fields = Readonly<Record<string, unknown>>;

/** All fields but the one that names the thing itself. */
function changedFields(before: Fields | undefined, after: Fields, name: string): readonly FieldChange[] {
  const was = new Map(leavesOf(before ?? {}, ''));
  const is = new Map(leavesOf(after, ''));
  const fields = new Set([...is.keys(), ...was.keys()]);
  fields.delete(name);
  return [...fields]
    .map((field) => ({ field, before: was.get(field), after: is.get(field) }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

/** A list is one value: its order counts. */
function leavesOf(fields: Fields, at: string): readonly (readonly [string, unknown])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const place = at === '' ? name : `${at}.${name}`;
    return isRecord(value) ? leavesOf(value, place) : [[place, value] as const];
  });
}

function depthOf({ path }: Account): number {
  return path.split('/').length;
}
