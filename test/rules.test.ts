// The rules of the house that a machine can check: who imports whom, one reader of the environment, short mains,
// and docs that name exactly what the code has.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ERRORS } from '../src/core/errors.ts'
import { ROLES, SETTINGS } from '../src/settings.ts'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8')
const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(name => /\.(?:m?ts|tsx)$/.test(name))
  .map(name => path.join('src', name))
  .sort()

/** Rooms and what each may import, with the reason that a failure shows. */
const MATRIX: Record<string, { may: string[]; because: string }> = {
  core: {
    may: ['core'],
    because: 'the core does no I/O and knows no framework, so that every API means the same',
  },
  kinds: { may: ['core/kind', 'kinds/lib'], because: 'a kind is one file that needs nothing of the server' },
  stores: {
    may: ['core', 'platform', 'stores'],
    because: 'an adapter knows its port and the machine, no other one',
  },
  queues: {
    may: ['core', 'platform', 'queues'],
    because: 'an adapter knows its port and the machine, no other one',
  },
  platform: {
    may: ['platform', 'core/async'],
    because: 'the platform knows nothing about tasks; core/async does not either',
  },
  access: {
    may: ['core', 'platform', 'access'],
    because: 'who asks and what they may do is the same for every API, and known to none',
  },
  api: {
    may: ['core', 'platform', 'access', 'api', 'rpc/http'],
    because: 'an API maps the service to its protocol',
  },
  worker: {
    may: ['core', 'platform', 'programs', 'worker'],
    because: 'the worker sees the ports, never an adapter',
  },
  programs: {
    may: ['core', 'platform', 'programs'],
    because: 'a program is run by the context of its kind alone, wherever that comes from',
  },
  rpc: {
    may: ['core', 'platform', 'access', 'rpc', 'gen'],
    because: 'an API maps the service to its protocol',
  },
  cli: {
    may: ['client', 'cli', 'platform', 'authoring'],
    because: 'the console knows a server as any client does, and kinds on this machine by what checks them',
  },
  authoring: {
    may: ['core', 'platform', 'programs', 'authoring', 'load-kind-file'],
    because: 'kinds are checked before there is a server',
  },
  testing: {
    may: [
      ...['core', 'testing', 'define-kind', 'load-kind-file', 'platform/type-of-bytes'],
      ...['worker/thread/content-bytes', 'worker/thread/exec', 'client/client', 'settings'],
    ],
    because: 'a kind is tried with the checks of a worker and without one, or with a server beside the test',
  },
  client: { may: ['client', 'gen'], because: 'a client runs where nothing of the server is' },
  dashboard: {
    may: ['core', 'platform', 'access', 'dashboard', 'api'],
    because: 'it serves the one task API behind its own login, and asks no other door',
  },
  'dashboard/web': {
    may: ['dashboard/web', 'client/task', 'client/event-stream'],
    because: 'it runs in a browser, where nothing of the server is',
  },
}
const MAIN = {
  may: ['config', 'wire', 'platform'],
  because: 'a main only reads the settings, wires and starts',
}
const WIRE = {
  may: ['config', 'core', 'stores', 'queues', 'open-kinds', 'follow-kinds', 'platform', 'access'],
  because: 'roles start from main',
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|(?:^|[^.\w])import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(IMPORT)].map(found => found[1] ?? found[2] ?? found[3] ?? '')

/** `src/core/task.ts` -> `core/task`; outside of src: `gen/...`. */
const placeOf = (file: string): string =>
  path
    .relative(path.join(root, 'src'), file)
    .replace(/\.(?:m?[tj]s|tsx)$/, '')
    .replace(/^\.\.\//, '')
const roomOf = (place: string): string => place.split('/')[0] ?? ''

const rowFor = (place: string): { may: string[]; because: string } | undefined => {
  if (/^\w+\/main$/.test(place)) return { ...MAIN, may: [...MAIN.may, roomOf(place)] }
  if (place === 'wire') return WIRE
  // what a started Madhava runs, and what it takes with it
  if (place === 'testing/all-roles' || place === 'testing/remove-shared')
    return {
      may: [
        'config',
        'wire',
        'platform',
        'testing',
        ...ROLES.flatMap(role => [`${role}/main`, `${role}/server`]),
      ],
      because: 'all roles in one process are their mains, one after the other',
    }
  if (place === 'load-kind-file')
    return { may: ['core', 'platform', 'programs'], because: 'it reads a kind, and opens nothing' }
  if (place === 'load-kinds')
    return { may: ['config', 'core', 'platform', 'programs'], because: 'it reads kinds, and opens nothing' }
  if (place === 'open-kinds')
    return {
      may: ['config', 'core', 'load-kinds', 'follow-kinds', 'platform'],
      because: 'it has kinds read and kept, and knows no adapter',
    }
  if (place === 'follow-kinds')
    return { may: ['core', 'platform'], because: 'it puts a part of the core together, and opens nothing' }
  if (place === 'config')
    return {
      may: [
        'core/errors',
        'core/nearest',
        'platform/address',
        'platform/env-file',
        'platform/masked-url',
        'platform/redis-url',
        'platform/version',
        'platform/visible',
        'settings',
      ],
      because: 'the settings stand before everything else, so what they need is pure text',
    }
  if (place === 'define-kind') return { may: ['core'], because: 'it is what a kind may import' }
  if (place === 'settings') return { may: ['setting-values'], because: 'it is a table' }
  if (place === 'setting-values')
    return {
      may: ['platform/client-address', 'platform/redis-url'],
      because: 'it checks texts and does nothing else',
    }
  return MATRIX[Object.keys(MATRIX).findLast(room => place.startsWith(`${room}/`)) ?? '']
}

const breaches = (file: string): string[] => {
  const place = placeOf(path.join(root, file))
  const row = rowFor(place)
  if (!row) return [`${file} stands in no room of the matrix`]
  return importsOf(file)
    .filter(target => target.startsWith('.'))
    .map(target => placeOf(path.resolve(root, path.dirname(file), target)))
    .filter(target => !row.may.some(may => target === may || target.startsWith(`${may}/`)))
    .map(target => `${file} imports ${target}: ${row.because}`)
}

/**
 * The texts of `log.warn`, `log.error` and `log.fatal` calls: the last string in the call. A call whose text is a
 * variable gives ''; `tellOnce` of the files store hands its text on to one of those.
 */
const troubleLines = (text: string): string[] => {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return [...code.matchAll(/\b(?:log\.(?:warn|error|fatal)|tellOnce)\(/g)].map(({ index, 0: head }) => {
    let depth = 1
    let end = index + head.length
    for (; depth > 0 && end < code.length; end += 1)
      depth += code[end] === '(' ? 1 : code[end] === ')' ? -1 : 0
    return [...code.slice(index, end).matchAll(/'((?:[^'\\]|\\.)*)'/g)].at(-1)?.[1] ?? ''
  })
}

describe('the rules of the house', () => {
  it('holds the import matrix', () => {
    assert.ok(sources.length > 50)
    assert.deepEqual(sources.flatMap(breaches), [])
  })

  it('would notice a breach of the matrix', () => {
    assert.equal(rowFor('core/task')?.may.includes('stores'), false)
    assert.deepEqual(
      importsOf('src/wire.ts').includes('./stores/files/adapter.ts'),
      true,
      'dynamic imports count',
    )
  })

  it('has no circle of imports, those of types included', () => {
    const graph = new Map(
      sources.map(file => [
        placeOf(path.join(root, file)),
        importsOf(file)
          .filter(target => target.startsWith('.'))
          .map(target => placeOf(path.resolve(root, path.dirname(file), target))),
      ]),
    )
    const done = new Set<string>()
    const circles: string[] = []
    const walk = (place: string, way: readonly string[]): void => {
      if (way.includes(place)) {
        circles.push([...way.slice(way.indexOf(place)), place].join(' -> '))
        return
      }
      if (done.has(place)) return
      for (const target of graph.get(place) ?? []) walk(target, [...way, place])
      done.add(place)
    }
    for (const place of graph.keys()) walk(place, [])
    assert.deepEqual(circles, [])
  })

  it('has a source for every built file that a text outside of src names', () => {
    const folders = ['test', 'bin', 'bench', 'docs']
    const texts = folders.flatMap(folder =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter(name => /\.(?:ts|mjs|cjs|md|py)$/.test(name))
        .map(name => path.join(folder, name)),
    )
    texts.push('Dockerfile', 'docker-compose.yml', 'ecosystem.config.cjs', 'package.json', 'README.md')
    const named = texts.flatMap(file =>
      [...read(file).matchAll(/(?<!\b(?!app\/)[\w-]+\/)\bdist\/((?:[\w-]+\/)*[\w-]+)\.js\b/g)].map(found => ({
        file,
        place: found[1] ?? '',
      })),
    )
    assert.ok(named.length >= 3, 'the pattern finds what is known to be there')
    const built = new Set(sources.map(file => placeOf(path.join(root, file))))
    assert.deepEqual(
      named.filter(({ place }) => !built.has(place)),
      [],
    )
  })

  it('keeps the adapters of one port apart', () => {
    /** `stores/memory/feed` belongs to `memory`; what lies in `shared` is common to all. */
    const adapterOf = (place: string): string => /^(?:stores|queues)\/([a-z]+)/.exec(place)?.[1] ?? ''
    const shared = ['shared']
    const mixed = sources.flatMap(file => {
      const mine = adapterOf(placeOf(path.join(root, file)))
      if (mine === '') return []
      return importsOf(file)
        .filter(target => target.startsWith('.'))
        .map(target => adapterOf(placeOf(path.resolve(root, path.dirname(file), target))))
        .filter(other => other !== '' && other !== mine && !shared.includes(other))
        .map(other => `${file} imports from ${other}`)
    })
    assert.deepEqual(mixed, [])
  })

  it('reads the environment in config.ts alone, but for the console, and what kinds hand on to their processes', () => {
    const readers = sources.filter(file => /process\.env/.test(read(file)))
    // the console is a program of its own, which may be far from any server
    // the others read nothing for us: they watch it, and hand it on to what kinds start
    assert.deepEqual(readers, [
      'src/cli/environment.ts',
      'src/config.ts',
      'src/programs/environment.ts',
      'src/testing/own-environment.ts',
      'src/worker/thread/environment.ts',
      'src/worker/thread/exec.ts',
      'src/worker/thread/processes.ts',
    ])
  })

  it('keeps every main under 30 lines', () => {
    const mains = sources.filter(file => file.endsWith('/main.ts'))
    assert.deepEqual(
      mains,
      ['api', 'dashboard', 'rpc', 'worker'].map(role => `src/${role}/main.ts`),
    )
    for (const file of mains) assert.ok(read(file).split('\n').length <= 30, file)
  })

  it('opens every file with its duty', () => {
    assert.deepEqual(
      sources.filter(file => !/^(\/\/|\/\*)/.test(read(file))),
      [],
    )
  })

  it('has one row in docs/errors.md for each code, with its status, and no other', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| (\d+) \|/gm)]
    const documented = Object.fromEntries(
      rows.map(([, code, status, rpc]) => [code, [Number(status), Number(rpc)]]),
    )
    const defined = Object.fromEntries(
      Object.entries(ERRORS).map(([code, { status, rpc }]) => [code, [status, rpc]]),
    )
    assert.deepEqual(documented, defined)
    assert.equal(rows.length, Object.keys(ERRORS).length, 'no code twice')
  })

  it('names every setting in docs/settings.md and .env.example, with its default and meaning, and no other', () => {
    const documented = [...read('docs/settings.md').matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$/gm)]
    assert.deepEqual(
      documented.map(([, name, value, meaning]) => [name, value, meaning]),
      Object.entries(SETTINGS).map(([name, setting]) => [
        name,
        setting.default === '' ? 'unset' : `\`${setting.default}\``,
        setting.meaning,
      ]),
    )
    const example = [...read('.env.example').matchAll(/^#\s?([A-Z_]+)=(.*)$/gm)]
    assert.deepEqual(
      example.map(([, name, value]) => [name, value]),
      Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default]),
    )
  })

  it('says of every package in docs/architecture.md what it is for, and of no other', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      read('package.json'),
    ) as Record<string, object>
    const needed = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
      name => !name.startsWith('@types/'),
    )
    const [, section = ''] = read('docs/architecture.md').split('\n## Dependencies\n')
    const told = [...section.matchAll(/^\| ([a-z@].*?) \|/gm)]
      .flatMap(([, names = '']) => names.split(', '))
      .filter(name => name !== 'package')
    assert.deepEqual(told.sort(), needed.sort())
  })

  it('names no test twice within a file', () => {
    const tests = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.test.ts'),
    )
    assert.ok(tests.length > 10)
    for (const file of tests) {
      const titles = [
        ...read(path.join('test', file)).matchAll(/^\s*(?:it|test)\('((?:[^'\\]|\\.)*)'/gm),
      ].map(found => found[1])
      assert.deepEqual(titles, [...new Set(titles)], file)
    }
  })

  it('has tests undo what they made with `undo`, in the reverse order, and not with the hook of node:test', () => {
    const tests = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts') && name !== path.join('support', 'undo.ts'))
      .map(name => path.join('test', name))
    assert.ok(tests.length > 10)
    const hook = /\b(?:t|test|context)\.after\(/
    assert.ok(hook.test('t.after(() => rm(folder))'))
    assert.deepEqual(
      tests.filter(file => hook.test(read(file))),
      [path.join('test', 'rules.test.ts')],
    )
  })

  it('explains every log line of trouble in docs/log-lines.md, and no other', () => {
    const said = new Set(sources.flatMap(file => troubleLines(read(file))).filter(text => text !== ''))
    const explained = [...read('docs/log-lines.md').matchAll(/^\| `(.+?)` \|/gm)].map(
      ([, text]) => text ?? '',
    )
    assert.ok(said.size > 40)
    // what bin/start.mjs prints for people is not a line of the log
    const ofTheStart = explained.filter(text => text.startsWith('Madhava ')).sort()
    for (const text of ofTheStart)
      assert.ok(read('bin/start.mjs').includes(text.split('...')[0] ?? text), text)
    assert.deepEqual(explained.filter(text => !said.has(text)).sort(), ofTheStart)
    assert.deepEqual([...said].filter(text => !explained.includes(text)).sort(), [], 'add a row there')
  })
})
