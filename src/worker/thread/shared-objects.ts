// The objects that all code of a thread shares: globals, objects of the engine and of Node, the environment, listeners
// of the process. Records their state and tells whether they have changed, so that one run's changes affect no other.
// It undoes nothing: a module loaded meanwhile may rely on the changes.
import { EventEmitter } from 'node:events'
import { builtinModules, createRequire } from 'node:module'
import { compileFunction } from 'node:vm'

import { watchEnvironment } from './environment.ts'

export interface SharedObjects {
  /** Records the present state. False: nothing has changed except newly loaded modules. */
  note(hasChanged: boolean): void
  /**
   * Whether the state is as recorded. `thorough`: checks every property of every object; else only those changed most
   * often, and additions, which takes a tenth of the time.
   */
  isSame(thorough: boolean): boolean
}

type Watchable = Record<PropertyKey, unknown>
interface Watched {
  object: Watchable
  keys: PropertyKey[]
  /** In the order of the keys. */
  properties: PropertyDescriptor[]
}

const require = createRequire(import.meta.url)

/** Node changes these itself. */
const OWN_BOOKS: ReadonlySet<PropertyKey> = new Set([
  '_events',
  '_eventsCount',
  '_exiting',
  'exitCode',
  'domain',
  'allowedNodeEnvironmentFlags',
])
/** Loaders register here, ours for TypeScript too; changes to imports are part of loading a kind. */
const NOT_WATCHED: ReadonlySet<string> = new Set(['module'])

/** Set by Node's `fetch` at its first use: see `isOwnDispatcher`. */
const DISPATCHERS: readonly PropertyKey[] = [
  Symbol.for('undici.globalDispatcher.1'),
  Symbol.for('undici.globalDispatcher.2'),
]

const isObject = (value: unknown): value is Watchable =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

/** Node's modules that are loaded, by the names that anyone can import. */
const loadedModules = (): string[] =>
  (process as unknown as { moduleLoadList: string[] }).moduleLoadList
    .filter(entry => entry.startsWith('NativeModule '))
    .map(entry => entry.slice('NativeModule '.length))
    .filter(name => builtinModules.includes(name) && !name.startsWith('_') && !NOT_WATCHED.has(name))

const HIDDEN = (): unknown[] => [
  [][Symbol.iterator](),
  new Map().entries(),
  new Set().values(),
  ''[Symbol.iterator](),
  ''.matchAll(/x/g),
  async () => {},
  function* () {},
  async function* () {},
  new Int8Array(0),
]

const NOTHING: PropertyDescriptor = {}
const OF_EVERY_FUNCTION: ReadonlySet<PropertyKey> = new Set([
  'length',
  'name',
  'prototype',
  'arguments',
  'caller',
])

const watch = (object: Watchable): Watched => {
  const watched: Watched = { object, keys: [], properties: [] }
  for (const key of Reflect.ownKeys(object)) {
    if (object === (process as unknown) && OWN_BOOKS.has(key)) continue
    const property = Reflect.getOwnPropertyDescriptor(object, key) ?? NOTHING
    watched.keys.push(key)
    watched.properties.push(property)
  }
  return watched
}

const addWithPrototype = (found: Set<Watchable>, value: unknown): void => {
  if (!isObject(value)) return
  // most functions have no own properties; the property that holds them is watched
  if (typeof value !== 'function' || Reflect.ownKeys(value).some(key => !OF_EVERY_FUNCTION.has(key)))
    found.add(value)
  if (typeof value !== 'function') return
  const prototype = Reflect.getOwnPropertyDescriptor(value, 'prototype')?.value
  if (isObject(prototype) && Reflect.ownKeys(prototype).length > 1) found.add(prototype)
}
const watchAll = (values: readonly unknown[]): Watched[] => {
  const found = new Set<Watchable>()
  for (const value of values) addWithPrototype(found, value)
  return [...found].map(watch)
}

/** Globals and what they refer to, the engine's hidden prototypes, the exports of Node's loaded modules. */
const collect = (modules: readonly string[]): Watched[] => {
  const found = new Set<Watchable>()
  const add = (value: unknown): void => addWithPrototype(found, value)
  const addOwn = (object: Watchable): void => {
    add(object)
    for (const key of Reflect.ownKeys(object)) {
      // calling a getter may load something
      const value = Reflect.getOwnPropertyDescriptor(object, key)?.value
      if (typeof value === 'function' || object === (globalThis as unknown)) add(value)
    }
  }
  addOwn(globalThis as unknown as Watchable)
  add(process)
  for (const name of modules) addOwn(require(name) as Watchable)
  for (const value of HIDDEN())
    for (let at = Reflect.getPrototypeOf(value as object); at; at = Reflect.getPrototypeOf(at)) add(at)
  return [...found].map(watch)
}

/**
 * Some of Node's properties are getters until first read. The recorded getter returns the value and replaces itself
 * with it.
 */
const becameItself = (before: PropertyDescriptor, now: PropertyDescriptor, object: Watchable): boolean => {
  if (!before.get || !('value' in now)) return false
  const { value } = now
  return Object.is(before.get.call(object), value)
}

/** The dispatcher of Node's `fetch` appears at its first use. */
const isOwnDispatcher = (key: PropertyKey, value: unknown): boolean =>
  DISPATCHERS.includes(key) &&
  (value as Watchable | null)?.constructor?.name === 'Agent' &&
  (process as unknown as { moduleLoadList: string[] }).moduleLoadList.includes(
    'NativeModule internal/deps/undici/undici',
  )

const sameProperty = (one: PropertyDescriptor, other: PropertyDescriptor): boolean =>
  Object.is(one.value, other.value) && one.get === other.get && one.set === other.set

/** Also updates the recorded state for Node's own changes, and reports new values. */
const isSameThroughout = (watched: Watched, tellNew: (value: unknown) => void): boolean => {
  const { object, keys, properties } = watched
  const known = keys.length
  const now = Reflect.ownKeys(object)
  if (now.length !== known || object === (process as unknown))
    for (const key of now) {
      if (keys.includes(key) || (object === (process as unknown) && OWN_BOOKS.has(key))) continue
      if (object !== (globalThis as unknown) || !isOwnDispatcher(key, object[key])) return false
    }
  for (let at = 0; at < known; at++) {
    const key = keys[at] as PropertyKey
    const before = properties[at] ?? NOTHING
    const found = Reflect.getOwnPropertyDescriptor(object, key)
    if (!found) return false
    if (sameProperty(before, found)) continue
    if (!becameItself(before, found, object)) return false
    properties[at] = found
    tellNew(found.value)
  }
  return true
}

type Look = () => boolean

/**
 * Makes a function that checks whether data properties of some objects have the recorded values. It names each
 * property in its source, since the engine caches such accesses: a loop over names takes ten times as long, most of it
 * for the globals.
 */
const compileQuickLook = (objects: readonly Watched[]): Look => {
  const keys: PropertyKey[] = []
  const values: unknown[] = []
  const tests: string[] = []
  for (const [which, watched] of objects.entries())
    for (const [at, key] of watched.keys.entries()) {
      const property = watched.properties[at] ?? NOTHING
      // a constant such as NaN cannot change
      if (!('value' in property) || !(property.writable || property.configurable)) continue
      const place = typeof key === 'string' ? JSON.stringify(key) : `keys[${values.length}]`
      tests.push(`o${which}[${place}] === v${values.length}`)
      keys.push(key)
      values.push(property.value)
    }
  const names = (letter: string, list: readonly unknown[]): string =>
    list.map((_, at) => `${letter}${at}`).join()
  const body = `const [${names('o', objects)}] = objects, [${names('v', values)}] = values
    return () => ${['true', ...tests].join(' && ')}`
  const make = compileFunction(body, ['objects', 'keys', 'values']) as (...given: unknown[]) => Look
  const watchedObjects = objects.map(({ object }) => object)
  return make(watchedObjects, keys, values)
}

const countEnumerable = (object: object): number => {
  let met = 0
  for (const _ in object) met++
  return met
}

/** Patched most often: checked after every run. */
const OFTEN_PATCHED: readonly unknown[] = [globalThis, console, Math, JSON, Date, Promise]
/** Added to most often. Assignments create properties that `for in` sees. */
const OFTEN_ADDED_TO: readonly object[] = [
  globalThis,
  console,
  Math,
  JSON,
  Array.prototype, // and so Object.prototype
  ...[
    Object,
    Array,
    Function,
    String,
    Number,
    Boolean,
    Symbol,
    Promise,
    Date,
    RegExp,
    Map,
    Set,
    Error,
    Buffer,
  ],
  ...[Function, String, Number, Promise, Date, RegExp, Map, Set, Error].map(({ prototype }) => prototype),
]

const listenersOf = (): Map<string | symbol, readonly unknown[]> =>
  new Map(process.eventNames().map(name => [name, process.rawListeners(name as 'exit')]))

/** Replaces the environment with one that notes its changes. */
export const createSharedObjects = (): SharedObjects => {
  const environment = watchEnvironment()
  let modules: string[] = []
  let watched: Watched[] = []
  let additions: number[] = []
  let isOftenPatchedSame: Look = () => false
  let listeners = listenersOf()
  let maxListeners = EventEmitter.defaultMaxListeners
  let exitCode = process.exitCode
  let writers: unknown[] = []
  const writersNow = (): unknown[] => [process.stdout.write, process.stderr.write]

  const haveListenersChanged = (thorough: boolean): boolean => {
    if (process.eventNames().length !== listeners.size) return true
    for (const [name, before] of listeners) {
      if (process.listenerCount(name) !== before.length) return true
      if (thorough && process.rawListeners(name as 'exit').some((listener, at) => listener !== before[at]))
        return true
    }
    return false
  }

  const noteAdditions = (): void => {
    additions = OFTEN_ADDED_TO.map(countEnumerable)
  }
  const haveAdditions = (): boolean =>
    OFTEN_ADDED_TO.some((object, at) => countEnumerable(object) !== additions[at])

  return {
    note(hasChanged) {
      environment.note()
      const before = modules.length
      modules = loadedModules()
      if (!hasChanged && modules.length === before) return
      watched = collect(modules)
      isOftenPatchedSame = compileQuickLook(watched.filter(({ object }) => OFTEN_PATCHED.includes(object)))
      noteAdditions()
      listeners = listenersOf()
      maxListeners = EventEmitter.defaultMaxListeners
      exitCode = process.exitCode
      writers = writersNow()
    },
    isSame(thorough) {
      try {
        if (!environment.isSame() || haveListenersChanged(thorough)) return false
        if (EventEmitter.defaultMaxListeners !== maxListeners || process.exitCode !== exitCode) return false
        if (writersNow().some((writer, at) => writer !== writers[at])) return false
        if (!thorough && isOftenPatchedSame() && !haveAdditions()) return true
        const fresh: unknown[] = []
        if (!watched.every(one => isSameThroughout(one, value => fresh.push(value)))) return false
        for (const value of fresh) watched.push(...watchAll([value]))
        // new properties are Node's own
        noteAdditions()
        return true
      } catch {
        // a getter that foreign code put there
        return false
      }
    },
  }
}
