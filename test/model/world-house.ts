import type { AccountDocument, House } from './house.ts';
import type { World } from './worlds.ts';

/** The house of a random world. */
export function houseOf({ accounts, routes, defaults, unfunded, unrated }: World): House {
  return {
    accounts: new Map(accounts.map((drawn) => [drawn.account, documentOf(drawn)])),
    routes: new Map(routes.map((route) => [route.route, route])),
    defaults,
    unfunded,
    unrated,
  };
}

function documentOf({
  account,
  operator,
  customer,
  purse,
  defaults,
}: World['accounts'][number]): AccountDocument {
  const isRoot = !account.includes('/');
  return { account, operator, customer, ...purse, ...(isRoot ? { defaults } : {}) };
}
