#!/usr/bin/env node
// The program of the suite of runners, in plain lines: the kind of acts.ts.
const { spawn } = require('node:child_process')
const { createHash } = require('node:crypto')
const { readFileSync, writeFileSync } = require('node:fs')
const { createInterface } = require('node:readline')

const tell = line => process.stdout.write(`${JSON.stringify(line)}\n`)
const wait = ms => new Promise(resolve => setTimeout(resolve, ms))

const describe = {
  summary: 'Does what the test says',
  params: {
    type: 'object',
    properties: {
      act: { type: 'string', default: 'give' },
      value: { default: null },
      file: { 'x-upload': {} },
    },
    additionalProperties: false,
  },
  result: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'array' }, { type: 'object' }] },
  example: { act: 'give', value: 'x' },
  retry: { delaySeconds: 0, retryOn: ['TRY_AGAIN'] },
  answers: true,
}

const run = async ({ params: { act, value, file }, attempt, resume, uploads }, nextAnswer) => {
  const submit = async () => {
    tell({ submit: { kind: 'acts', params: { value: 'child' }, key: 'k', title: 'one' } })
    return (await nextAnswer()).submitted.id
  }
  switch (act) {
    case 'give':
      return value
    case 'report':
      tell({ progress: { percent: 25, note: 'a quarter', partial: [1, 2] } })
      await wait(600_000)
      return 'never'
    case 'say':
      console.log('printed')
      tell({ log: 'told' })
      tell({ log: { text: 'a warning', level: 'warn' } })
      return 'said'
    case 'count': {
      const from = resume ?? 0
      for (let n = from; n < value; n += 1) {
        tell({ checkpoint: n })
        tell({ progress: { percent: n, note: `at ${n}` } })
        await wait(20)
      }
      return { from, attempt }
    }
    case 'spread':
      return [await submit(), await submit()]
    case 'keep':
      writeFileSync('out', value)
      tell({ artifact: { path: 'out', name: 'kept.txt', type: 'text/plain' } })
      return (await nextAnswer()).kept.bytes
    case 'read': {
      const { path, name } = uploads[file.$upload]
      return { name, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
    }
    case 'deaf': {
      process.on('SIGTERM', () => {})
      spawn('sh', ['-c', `trap '' TERM; sleep ${value}; sleep ${value}`], { stdio: 'ignore' })
      tell({ progress: { percent: 1, note: 'deaf' } })
      await wait(100)
      for (;;);
    }
    case 'fail':
      tell({ error: value })
      return undefined
    case 'swallow': {
      const held = []
      for (;;) {
        held.push(Buffer.alloc(1024 * 1024, 1))
        await wait(5)
      }
    }
    case 'leave':
      spawn('sleep', [String(value)], { stdio: 'ignore', detached: true }).unref()
      return 'left'
    default:
      throw new Error(`there is no act ${act}`)
  }
}

if (process.argv.includes('--describe')) tell(describe)
else {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value)
  next()
    .then(request => run(request, next))
    .then(result => {
      if (result !== undefined) tell({ result })
      process.stdin.destroy()
    })
}
