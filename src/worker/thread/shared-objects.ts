// What all code of a thread shares: globals, the engine's and Node's own objects, the environment, the listeners of the
// process. Notes how they were and says whether they still are, so that what one run has changed reaches no other.
// It undoes nothing: a module that was loaded meanwhile may rely on what it changed.
import { EventEmitter } from 'node:events'
import { builtinModules, createRequire } from 'node:module'
import { compileFunction } from 'node:vm'

import { watchEnvironment } from './environment.ts'

export interface Realm {
  /** From now on this is how things are; with false, all but for newly loaded modules is as it was noted. */
  note(hasChanged: boolean): void
  /**
   * Whether all is as it was noted. `thorough`: looks at every property of every object; else at those that are changed
   * most, and for additions, which takes a tenth of the time.
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

/** These change by themselves: Node's own books. */
const OWN_BOOKS: ReadonlySet<PropertyKey> = new Set([
  '_events',
  '_eventsCount',
  '_exiting',
  'exitCode',
  'domain',
  'allowedNodeEnvironmentFlags',
])
/** Loaders register here, ours for TypeScript too; what they do to imports is part of loading a kind. */
const NOT_WATCHED: ReadonlySet<string> = new Set(['module'])

/** Set by the `fetch` that Node brings, when it is first used: see `isOwnDispatcher`. */
const DISPATCHERS: readonly PropertyKey[] = [
  Symbol.for('undici.globalDispatcher.1'),
  Symbol.for('undici.globalDispatcher.2'),
]

const isObject = (value: unknown): value is Watchable =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

/** Node's modules that are loaded, by the names that anybody can import. */
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
  // most functions have nothing of their own: what they are called under is watched
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

/** Globals with what hangs on them, the engine's hidden prototypes, what Node's loaded modules export. */
const collect = (modules: readonly string[]): Watched[] => {
  const found = new Set<Watchable>()
  const add = (value: unknown): void => addWithPrototype(found, value)
  const addOwn = (object: Watchable): void => {
    add(object)
    for (const key of Reflect.ownKeys(object)) {
      // a getter that is asked may load something
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
 * Some of Node's properties are getters until they are first read. The getter that was noted answers what belongs there,
 * and puts it there.
 */
const becameItself = (before: PropertyDescriptor, now: PropertyDescriptor, object: Watchable): boolean => {
  if (!before.get || !('value' in now)) return false
  const { value } = now
  return Object.is(before.get.call(object), value)
}

/** The dispatcher of Node's own `fetch` appears with its first use. */
const isOwnDispatcher = (key: PropertyKey, value: unknown): boolean =>
  DISPATCHERS.includes(key) &&
  (value as Watchable | null)?.constructor?.name === 'Agent' &&
  (process as unknown as { moduleLoadList: string[] }).moduleLoadList.includes(
    'NativeModule internal/deps/undici/undici',
  )

const sameProperty = (one: PropertyDescriptor, other: PropertyDescriptor): boolean =>
  Object.is(one.value, other.value) && one.get === other.get && one.set === other.set

/** Also brings what is noted up to date where the change is Node's own, and tells what has come with it. */
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
 * Says whether the data properties of some objects have the values that were noted. It is one function that names each of
 * them, since the engine keeps such a place ready: a loop over names takes ten times as long, most of it for the globals.
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

/** What is patched most: looked at after every run. */
const OFTEN_PATCHED: readonly unknown[] = [globalThis, console, Math, JSON, Date, Promise]
/** What is added to most; an assignment makes a property that `for in` meets. */
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

/** Replaces the environment by one that notes its changes. */
export const createRealm = (): Realm => {
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
        // what is new is Node's own
        noteAdditions()
        return true
      } catch {
        // a getter that somebody put there
        return false
      }
    },
  }
}
