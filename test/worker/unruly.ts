// A kind that does whatever its params say, the wrong things above all. For the tests of threads and runner.
import { appendFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, threadId } from 'node:worker_threads'
import { z } from 'zod'
import { defineKind, type TaskContext } from '../../src/core/kind.ts'
import type { Json } from '../../src/core/task.ts'

const cycle = (): unknown => {
  const ring: { self?: unknown } = {}
  ring.self = ring
  return ring
}
const deep = (): unknown => {
  let nested: unknown = 1
  for (let level = 0; level < 100_000; level++) nested = [nested]
  return nested
}
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })

const quota = () => ({ message: 'quota exceeded', code: 'E_QUOTA' })
const forACause = (): Error => {
  const refused = Object.assign(new Error('refused by db-1'), { code: 'ECONNREFUSED' })
  return new Error('no user', { cause: new AggregateError([refused], 'nobody answers') })
}

const ACTS: Record<string, (context: TaskContext, value: Json) => unknown> = {
  'return the value': (_context, value) => value,
  'leave a line': (_context, value) => {
    const { file, line } = value as { file: string; line: string }
    appendFileSync(file, `${line}\n`)
    return line
  },
  'tell about itself': ({ id, attempt, resume }) => ({ id, attempt, resume: resume as Json }),
  'the number of its thread': () => threadId,
  'tell its cores': ({ cores }) => cores(),
  'say how it was come by': (context, value) => {
    context.resultInfo({ earlier: true })
    context.resultInfo(value)
    return 'done'
  },
  'report, log, checkpoint': (context, value) => {
    context.progress(40, 'well on its way', value)
    context.log('one\ntwo')
    console.log('printed', { a: 1 })
    process.stderr.write('no line end')
    context.checkpoint({ value, kept: new Map([['a', 1n]]) })
    return 'done'
  },
  'throw an error': () => {
    throw new Error('it went wrong')
  },
  'throw by name and code': (_context, value) => {
    throw Object.assign(new Error('it went wrong'), value as { name?: string; code?: string })
  },
  'throw a string': () => {
    throw 'just words'
  },
  'throw what cannot be read': () => {
    throw {
      get message() {
        throw new Error('no message')
      },
      toString() {
        throw new Error('no text')
      },
    }
  },
  'throw an object': () => {
    throw quota()
  },
  'reject with an object behind the back': () => {
    void Promise.reject(quota())
    return new Promise(() => {})
  },
  'throw for a cause': () => {
    throw forACause()
  },
  'throw for a cause once': ({ attempt }) => {
    if (attempt === 1) throw forACause()
    return 'done'
  },
  'throw a long error': () => {
    throw new Error('x'.repeat(100_000))
  },
  'throw when resumed without': context => {
    if (context.resume !== null) return `resumed from ${JSON.stringify(context.resume)}`
    context.checkpoint({ from: context.attempt })
    throw new Error('lost on the way')
  },
  exit: () => {
    console.log('last words')
    process.exit(3)
  },
  'throw in a timer': () => {
    setTimeout(() => {
      throw new Error('out of nowhere')
    }, 1)
    return new Promise(() => {})
  },
  'reject behind the back': () => {
    void Promise.reject(new Error('nobody looked'))
    return new Promise(() => {})
  },
  'return a BigInt': () => ({ a: 1n }),
  'return a cycle': cycle,
  'return NaN': () => [Number.NaN],
  'return a function': () => () => 1,
  'return a Map': () => new Map([[1, 2]]),
  'return something deep': deep,
  'return what nobody awaited': () => ({ rows: [1, Promise.resolve(2)] }),
  'return an Error': () => ({ why: new TypeError('lost') }),
  'return a Buffer': () => Buffer.from('bytes'),
  'return a large integer': () => ({ id: 2 ** 60 }),
  'return a name that is dropped': () => JSON.parse('{"__proto__":{"x":1},"y":2}'),
  'report partial results that are refused': async context => {
    for (const partial of [{ list: [Promise.resolve()] }, { list: [Promise.resolve()] }, deep()]) {
      context.progress(1, 'on', partial as Json)
      await wait(60)
    }
    return 'done'
  },
  'say something deep of the result': context => context.resultInfo(deep() as Json),
  'submit something deep': context =>
    context.submit('unruly', { act: 'return the value', value: deep() as Json }),
  'submit a Promise': context => context.submit('unruly', { value: Promise.resolve(1) as unknown as Json }),
  'write long words': context => {
    context.progress(1, `${'x'.repeat(499)}😀`)
    context.log(`${'y'.repeat(4_094)}😀😀`)
    const bytes = Buffer.from('naïve 😀\n')
    for (let at = 0; at < bytes.length; at += 1) process.stdout.write(bytes.subarray(at, at + 1))
    throw Object.assign(new Error(`${'x'.repeat(1_999)}😀`), { name: `${'N'.repeat(99)}😀` })
  },
  'return nothing': () => undefined,
  'return text': (_context, value) => 'π'.repeat(Number(value)),
  'return numbers': (_context, value) => new Array(Number(value)).fill(1),
  'eat memory': () => {
    const eaten: unknown[] = []
    for (;;) eaten.push(new Array(1_000).fill(Math.random()))
  },
  'loop for ever': context => {
    for (;;) context.progress(Math.random() * 100)
  },
  'wait for the signal': ({ signal }) => aborted(signal),
  'wait, deaf to the signal': context => {
    context.progress(1)
    return wait(3_600_000)
  },
  'return a result when told to stop': async ({ signal }) => {
    await aborted(signal).catch(() => {})
    return 'finished all the same'
  },
  'leave a line and tell why it was stopped': async ({ signal }, value) => {
    const { file, line } = value as { file: string; line: string }
    appendFileSync(file, `${line}\n`)
    await aborted(signal).catch(() => {})
    return String(signal.reason)
  },
  'log a thousand lines and exit': context => {
    for (let line = 0; line < 1_000; line += 1) context.log(`line ${line}`)
    process.exit(3)
  },
  'flood with reports': context => {
    for (let line = 0; line < 200_000; line++) {
      context.progress(line / 2_000, 'on', 'p'.repeat(100))
      context.log(`line ${line}`)
    }
    return 'flooded'
  },
  'report a huge partial result': context => {
    context.progress(10, undefined, 'small')
    context.progress(20, undefined, 'x'.repeat(40_000))
    return 'done'
  },
  'report nonsense': context => {
    context.progress(Number.NaN)
    context.progress(1e9)
    context.log('y'.repeat(10_000))
    return 'done'
  },
  'leave a timer behind': () => {
    setInterval(() => {
      throw new Error('left behind')
    }, 1)
    return 'done'
  },
  'submit children': async (context, value) => {
    const { count, key } = value as { count: number; key?: string }
    const ids: string[] = []
    for (let child = 0; child < count; child++)
      ids.push(await context.submit('unruly', { act: 'return the value', value: child }, key ? { key } : {}))
    return ids
  },
  'submit a thousand at once': async context => {
    const all = Array.from({ length: 1_000 }, (_, child) =>
      context.submit('unruly', { act: 'return the value', value: child }),
    )
    return (await Promise.all(all)).length
  },
  'submit and not wait': context => {
    void context.submit('unruly', { act: 'return the value', value: 'on its own' })
    return 'done'
  },
  'submit a hundred and wait for none': context => {
    for (let child = 0; child < 100; child++)
      void context.submit('unruly', { act: 'return the value', value: child })
    return 'done'
  },
  'submit what is refused and not wait': context => {
    void context.submit('unruly', { act: 'nothing that it knows' })
    return 'done'
  },
  'submit what is refused': async context => {
    try {
      await context.submit('unruly', { act: 'return the value', value: 1 }, { key: 'no' })
    } catch (error) {
      const { name, code, message, detail } = error as Error & { code: string; detail: Json }
      return { name, code, message, detail }
    }
    return 'accepted'
  },
  'submit a BigInt': context => context.submit('unruly', { act: 1n as unknown as Json }),
  'submit to a kind that is not there': context => context.submit('nobody'),
  'submit after the signal': async ({ signal, submit }) => {
    await aborted(signal).catch(() => {})
    return submit('unruly').catch(error => `refused: ${(error as Error).message}`)
  },
  'submit a child and fail, then submit it again': async context => {
    const id = await context.submit(
      'unruly',
      { act: 'return the value', value: 'once' },
      { key: 'the-one', priority: 7, title: 'a child' },
    )
    if (context.attempt === 1) throw new Error('after the child')
    return id
  },
  'checkpoint something deep': context => {
    context.checkpoint(deep())
    return 'done'
  },
  'checkpoint, then return text': (context, value) => {
    context.checkpoint({ kept: true })
    return 'π'.repeat(Number(value))
  },
  'report a part and throw at once': context => {
    context.progress(1, 'one', 'first part')
    context.progress(2, 'two', 'second part')
    throw new Error('now')
  },
  'checkpoint a function': context => context.checkpoint(() => 1),
  'checkpoint and wait': context => {
    context.checkpoint({ kept: true })
    context.progress(50)
    return aborted(context.signal)
  },
  'forge messages': () => {
    parentPort?.postMessage({ type: 'outcome', run: 1, outcome: { type: 'success' }, reusable: true })
    parentPort?.close()
    return 'honest'
  },
}

export default defineKind({
  summary: 'Misbehaves as asked',
  params: z.strictObject({
    act: z.enum(Object.keys(ACTS) as [string, ...string[]]),
    value: z.json().default(null),
  }),
  result: z.unknown(),
  example: { act: 'return the value', value: 1 },
  run: ({ act, value }, context) => ACTS[act]?.(context, value as Json),
})
