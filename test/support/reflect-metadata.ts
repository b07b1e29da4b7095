/**
 * The three functions of the `reflect-metadata` polyfill that tsyringe, below @peculiar/x509, demands to be there
 * before it is loaded. Import this first.
 */

type Key = string | symbol;
type Store = Map<Key | undefined, Map<unknown, unknown>>;

interface MetadataFunctions {
  getMetadata?: (key: unknown, target: object, property?: Key) => unknown;
  getOwnMetadata?: (key: unknown, target: object, property?: Key) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object, property?: Key) => void;
}

const reflect = Reflect as MetadataFunctions;

// The true polyfill, if somebody has loaded it, is left alone.
if (reflect.getMetadata === undefined) {
  const stores = new WeakMap<object, Store>();

  reflect.getOwnMetadata = (key, target, property) => stores.get(target)?.get(property)?.get(key);

  reflect.getMetadata = (key, target, property) => {
    for (let owner: object | null = target; owner !== null; owner = Reflect.getPrototypeOf(owner)) {
      const found = stores.get(owner)?.get(property);
      if (found?.has(key) === true) return found.get(key);
    }
    return undefined;
  };

  reflect.defineMetadata = (key, value, target, property) => {
    const store: Store = stores.get(target) ?? new Map<Key | undefined, Map<unknown, unknown>>();
    const values = store.get(property) ?? new Map<unknown, unknown>();
    values.set(key, value);
    store.set(property, values);
    stores.set(target, store);
  };
}
