// What all code of a thread shares, and what goes on in it unnoticed: each change and each leftover is seen, and what Node
// does by itself is not taken for one. Tried in this process: what the acts do, they take back.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import dgram from 'node:dgram'
import { EventEmitter } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createSharedObjects } from '../../src/worker/thread/shared-objects.ts'
import { trackUnrefs } from '../../src/worker/thread/unref-tracker.ts'

type Undo = () => unknown

/** Puts a value there; answers what puts back what was there. */
const patch = (object: object, key: PropertyKey, property: PropertyDescriptor): Undo => {
  const before = Reflect.getOwnPropertyDescriptor(object, key)
  Reflect.defineProperty(object, key, { configurable: true, ...property })
  return () => {
    if (before) Reflect.defineProperty(object, key, before)
    else Reflect.deleteProperty(object, key)
  }
}
const value = (given: unknown): PropertyDescriptor => ({ value: given, writable: true, enumerable: true })

describe('what all code of a thread shares', () => {
  const environment = process.env
  const sharedObjects = createSharedObjects()
  const watchedEnvironment = process.env
  // the runner of tests has its own listeners by then
  before(() => {
    sharedObjects.note(true)
    // Node loads these at their first use
    void new Headers()
    assert.equal(sharedObjects.isSame(true), true)
  })
  after(() => {
    process.env = environment
  })

  /** Those that a quick look sees, after every run. */
  const often: Record<string, () => Undo> = {
    'a global replaced': () =>
      patch(
        globalThis,
        'fetch',
        value(() => 'patched'),
      ),
    'a global added': () => patch(globalThis, 'left', value(1)),
    'Math.random': () =>
      patch(
        Math,
        'random',
        value(() => 4),
      ),
    'JSON.stringify': () =>
      patch(
        JSON,
        'stringify',
        value(() => '{}'),
      ),
    'Date.now': () =>
      patch(
        Date,
        'now',
        value(() => 0),
      ),
    'console.log': () =>
      patch(
        console,
        'log',
        value(() => {}),
      ),
    'Array.prototype': () => patch(Array.prototype, 'left', value(1)),
    'Object.prototype': () => patch(Object.prototype, 'left', value(1)),
    'process.stdout.write': () =>
      patch(
        process.stdout,
        'write',
        value(() => true),
      ),
    'a variable of the environment': () => {
      process.env.LEFT = '1'
      return () => Reflect.deleteProperty(process.env, 'LEFT')
    },
    'a variable less': () => {
      const { PATH } = process.env
      Reflect.deleteProperty(process.env, 'PATH')
      return () => {
        process.env.PATH = PATH
      }
    },
    'another environment': () => {
      process.env = { ...watchedEnvironment }
      return () => {
        process.env = watchedEnvironment
      }
    },
    'an exit code': () => {
      const { exitCode } = process
      process.exitCode = 3
      return () => {
        process.exitCode = exitCode
      }
    },
    'a listener of the process': () => {
      const listener = (): void => {}
      process.on('uncaughtExceptionMonitor', listener)
      return () => process.off('uncaughtExceptionMonitor', listener)
    },
    'the bound of listeners': () => {
      const before = EventEmitter.defaultMaxListeners
      EventEmitter.defaultMaxListeners = 99
      return () => {
        EventEmitter.defaultMaxListeners = before
      }
    },
  }
  const thoroughly: Record<string, () => Undo> = {
    'a hidden global': () => patch(globalThis, 'left', { value: 1 }),
    'a hidden addition': () => patch(Map.prototype, 'left', { value: 1 }),
    'a method of a prototype': () =>
      patch(
        String.prototype,
        'trim',
        value(() => 'patched'),
      ),
    'an iterator': () => patch(Reflect.getPrototypeOf([][Symbol.iterator]()) as object, 'next', value(null)),
    'a web class': () =>
      patch(
        Headers.prototype,
        'get',
        value(() => null),
      ),
    'a getter': () => patch(URL.prototype, 'host', { get: () => 'patched' }),
    'an export of a module of Node': () =>
      patch(
        fs,
        'readFileSync',
        value(() => 'patched'),
      ),
    'a class of a module of Node': () =>
      patch(
        net.Socket.prototype,
        'write',
        value(() => true),
      ),
    'the depth of stacks': () => patch(Error, 'stackTraceLimit', value(1)),
    'how stacks are made': () =>
      patch(
        Error,
        'prepareStackTrace',
        value(() => 'patched'),
      ),
    'process.nextTick': () =>
      patch(
        process,
        'nextTick',
        value(() => {}),
      ),
  }

  it('is seen to have changed by a quick look where it is changed most', () => {
    for (const [what, act] of Object.entries(often)) {
      const undo = act()
      const same = [sharedObjects.isSame(false), sharedObjects.isSame(true)]
      undo()
      assert.deepEqual(same, [false, false], what)
      assert.equal(sharedObjects.isSame(true), true, `${what}, undone`)
    }
  })

  it('is seen to have changed by a thorough look anywhere else', () => {
    for (const [what, act] of Object.entries(thoroughly)) {
      const undo = act()
      const same = sharedObjects.isSame(true)
      undo()
      assert.equal(same, false, what)
      assert.equal(sharedObjects.isSame(true), true, `${what}, undone`)
    }
  })

  it('is the same after what Node does by itself at a first use', async () => {
    void new Blob(['a'])
    void crypto.subtle
    void randomUUID()
    void process.allowedNodeEnvironmentFlags
    new Intl.DateTimeFormat().format()
    'ab'.match(/a(b)/)
    await fetch('http://127.0.0.1:1').catch(() => {})
    await Promise.all(
      ['node:http2', 'node:zlib', 'node:readline/promises', 'node:dns'].map(name => import(name)),
    )
    assert.deepEqual([sharedObjects.isSame(false), sharedObjects.isSame(true)], [true, true])
  })
})

describe('what goes on without keeping its thread alive', () => {
  const leftovers = trackUnrefs(() => true)
  // nothing of what is tried keeps this process going
  const going = setInterval(() => {}, 1_000)
  after(() => clearInterval(going))
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  const left: Record<string, () => Undo | Promise<Undo>> = {
    'a timer': () => {
      const timer = setTimeout(() => {}, 60_000).unref()
      return () => clearTimeout(timer)
    },
    'an interval': () => {
      const timer = setInterval(() => {}, 60_000).unref()
      return () => clearInterval(timer)
    },
    'the timer of a signal': () => {
      AbortSignal.timeout(1)
      return () => wait(20)
    },
    'a promise of a timer': () => {
      const ended = new AbortController()
      wait(60_000, null, { ref: false, signal: ended.signal }).catch(() => {})
      return () => ended.abort()
    },
    'a server': () => {
      const server = net.createServer().listen(0).unref()
      return () => new Promise(resolve => server.close(resolve))
    },
    'a socket of datagrams': async () => {
      const socket = dgram.createSocket('udp4')
      await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
      socket.unref()
      return () => new Promise<void>(resolve => socket.close(resolve))
    },
    'a child': () => {
      const child = spawn('sleep', ['60'])
      child.unref()
      return () =>
        new Promise(resolve => {
          child.once('close', resolve)
          child.kill()
        })
    },
    'a thread': () => {
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
      worker.unref()
      return () => worker.terminate()
    },
    'a port': () => {
      const { port1 } = new MessageChannel()
      port1.addEventListener('message', () => {})
      port1.unref()
      return () => port1.close()
    },
    'a watcher of a file': () => {
      const watcher = fs.watch(import.meta.dirname ?? '.').unref()
      return () => watcher.close()
    },
  }

  it('is noted until it ends', { timeout: 300_000 }, async () => {
    for (const [what, act] of Object.entries(left)) {
      const undo = await act()
      const any = leftovers.any()
      await undo()
      await wait(20)
      await turns()
      assert.equal(any, true, what)
      assert.equal(leftovers.any(), false, `${what}, ended`)
      leftovers.forget()
    }
  })

  it('does not hold what is long over', async () => {
    for (let times = 0; times < 5_000; times++) clearTimeout(setTimeout(() => {}, 60_000).unref())
    assert.equal(leftovers.any(), false)
  })
})
