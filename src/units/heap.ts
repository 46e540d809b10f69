/** Items of which always the first by some order is wanted. */
export type Heap<Item> = {
  readonly size: number;
  peek(): Item | undefined;
  pop(): Item | undefined;
  push(item: Item): void;
};

/** A binary heap. Of items that come in no order before one another any may be first. */
export function createHeap<Item>(isBefore: (one: Item, other: Item) => boolean): Heap<Item> {
  const items: Item[] = [];
  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      removeFirst(items, isBefore);
      return first;
    },
    push: (item) => insert(items, item, isBefore),
  };
}

function insert<Item>(items: Item[], item: Item, isBefore: (one: Item, other: Item) => boolean): void {
  let child = items.push(item) - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    const above = items[parent] as Item;
    if (!isBefore(item, above)) break;
    items[child] = above;
    child = parent;
  }
  items[child] = item;
}

function removeFirst<Item>(items: Item[], isBefore: (one: Item, other: Item) => boolean): void {
  const last = items.pop();
  if (last === undefined || items.length === 0) return;
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= items.length) break;
    if (child + 1 < items.length && isBefore(items[child + 1] as Item, items[child] as Item)) child += 1;
    const below = items[child] as Item;
    if (!isBefore(below, last)) break;
    items[parent] = below;
    parent = child;
  }
  items[parent] = last;
}
